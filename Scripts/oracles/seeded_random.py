"""An independent implementation of SeededRandom; its numbers stand as literals in the tests."""
import math

M = (1 << 64) - 1


def mixed(value):
    z = (value + 0x9E3779B97F4A7C15) & M
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & M
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & M
    return z ^ (z >> 31)


def hash_text(text, seed=0):
    h = 0xCBF29CE484222325 ^ mixed(seed)
    for byte in text.encode():
        h = ((h ^ byte) * 0x100000001B3) & M
    return mixed(mixed(h))


def hash_number(value, seed):
    return mixed(mixed(value ^ mixed((seed + 0x9E3779B97F4A7C15) & M)))


def philox(low, high, key):
    w = 0xFFFFFFFF
    x = [low & w, low >> 32, high & w, high >> 32]
    k = [key & w, key >> 32]
    for _ in range(10):
        a, b = x[0] * 0xD2511F53, x[2] * 0xCD9E8D57
        x = [(b >> 32) ^ x[1] ^ k[0], b & w, (a >> 32) ^ x[3] ^ k[1], a & w]
        k = [(k[0] + 0x9E3779B9) & w, (k[1] + 0xBB67AE85) & w]
    return x[0] | x[1] << 32, x[2] | x[3] << 32


def child(key, stream, name, index=0):
    return philox(hash_text(name, stream), index & M, hash_number(key, 0x6368696C6472656E))


def normal_tail_quantile(p):
    """Solves P(X <= x) = p for a small p by bisection on the logarithm of erfc."""
    low, high = -38.0, 0.0
    for _ in range(200):
        x = (low + high) / 2
        if math.erfc(-x / math.sqrt(2)) / 2 < p:
            low = x
        else:
            high = x
    return x


print(hex(hash_text("")), hex(hash_text("user-42", 7)), hex(hash_number(42, 7)))
identity = child(1, 0, "test")
print([hex(word) for block in range(2) for word in philox(block, identity[1], identity[0])])
print(normal_tail_quantile(1e-16), normal_tail_quantile(1e-300))
