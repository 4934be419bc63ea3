"""Lines of text on their way from readers to counters."""

import glob
import re
from collections import Counter


def read(pattern, lines):
    """Put each line of the files that match into the queue."""
    for name in sorted(glob.glob(pattern)):
        with open(name, encoding="utf-8") as file:
            for line in file:
                lines.put(line)


def count_words(lines, words, lock):
    """Count the words of the lines that come, and add the counts to those of the others."""
    counts = Counter(word for line in lines for word in re.findall(r"[a-z]{2,}", line.lower()))
    with lock:
        for word, count in counts.items():
            words[word] = words.get(word, 0) + count


def print_most(words):
    for word, count in sorted(words.items(), key=lambda entry: (-entry[1], entry[0]))[:3]:
        print(word, count)
