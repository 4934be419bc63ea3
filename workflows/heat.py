"""The heat equation on a rod that is hot at its left end."""


def spread(rod, gate, first, end, steps):
    """Let heat spread in the places from `first` to `end`, step by step with those who have the rest of the rod."""
    places = rod.get_obj()  # no lock is needed: nobody reads a place while it is written
    if first == 1:
        places[0] = 100.0
    gate.wait()
    for _ in range(steps):
        after = [places[at] + 0.25 * (places[at - 1] - 2 * places[at] + places[at + 1]) for at in range(first, end)]
        gate.wait()  # all have read
        places[first:end] = after
        gate.wait()  # all have written


def draw(rod):
    """One character for every third place: the hotter, the darker."""
    shades = " .:-=+*#%@"
    print("".join(shades[min(9, int(heat / 10))] for heat in rod[::3]))
