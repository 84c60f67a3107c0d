"""Which rules to try where a word stands: a look-up, so that most words cost nothing."""

from memd.text.times import dates, relative
from memd.text.times.atoms import MONTHS, NUMBERS, WEEKDAYS, Rule
from memd.text.times.periods import SEASON_MONTH


def _keyed(words: str, rules: tuple[Rule, ...]) -> dict[str, tuple[Rule, ...]]:
    return dict.fromkeys(words.split(), rules)


# A word that is no key begins no expression.
BY_WORD: dict[str, tuple[Rule, ...]] = {
    **dict.fromkeys(MONTHS, dates.MONTH_RULES),
    **dict.fromkeys(WEEKDAYS, relative.WEEKDAY_RULES),
    **dict.fromkeys(NUMBERS, relative.COUNT_RULES),
    **dict.fromkeys(SEASON_MONTH, dates.SEASON_RULES),
    **_keyed("christmas xmas new halloween valentine valentines thanksgiving easter", dates.HOLIDAY_RULES),
    **_keyed("today tonight yesterday tomorrow", relative.DAY_RULES),
    **_keyed("last this next past previous preceding coming current", (*dates.LAST_RULES, *relative.LAST_RULES)),
    **_keyed("first second third fourth", dates.ORDINAL_RULES),
    **_keyed("beginning start", relative.START_RULES),
    **_keyed("half", relative.HALF_RULES),
    **_keyed("day", relative.DAY_BEFORE_RULES),
    **relative.UNIT_RULES,
    **_keyed("weekend", relative.WEEKEND_RULES),
    **_keyed("q", dates.QUARTER_RULES),
    **_keyed("h", dates.HALF_RULES),
}
BY_DIGIT: tuple[Rule, ...] = (*relative.SHORT_RULES, *relative.COUNT_RULES, *dates.DIGIT_RULES)
