"""The process that holds the encoder and the store, and the thin client that talks to it."""
