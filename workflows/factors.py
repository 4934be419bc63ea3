"""Numbers as products of primes, by a table that takes long to make and no time to look into."""

from array import array


def smallest_factors(size: int) -> array:
    """At each place below `size` the smallest prime that divides it; 0 where it is prime itself."""
    factors = array("L", bytes(8 * size))
    for prime in range(2, size):
        if not factors[prime]:
            for multiple in range(prime * prime, size, prime):
                factors[multiple] = factors[multiple] or prime
    return factors


def factorize(number: int, table: array) -> list[int]:
    """The primes whose product is `number`, which is from 2 on and in the table."""
    primes = []
    while smallest := table[number]:
        primes.append(smallest)
        number //= smallest
    return [*primes, number]
