"""The target of word_counts.yaml: what `wc` printed, added up."""


def add_up(printed: list[str]) -> int:
    """The sum of the numbers that the lines begin with."""
    total = sum(int(line.split()[0]) for line in printed)
    print(f"{total} words in {len(printed)} files")
    return total
