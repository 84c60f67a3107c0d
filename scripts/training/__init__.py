"""How the encoder is tuned: pairs, batches, model, losses, held-out ranking and the delta. See train_encoder.py."""
