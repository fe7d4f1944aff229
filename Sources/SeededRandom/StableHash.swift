/// A 64-bit hash of a text's UTF-8 bytes, equal on every machine and in every run.
///
/// FNV-1a over the bytes, started from an offset that depends on the seed, then two rounds of the
/// SplitMix64 finalizer so that every input bit reaches every output bit (FNV-1a alone leaves the
/// last byte in the lower bits). Not for adversaries: whoever knows the seed can find collisions.
///
/// - Complexity: O(bytes).
public func stableHash(_ text: String, seed: UInt64 = 0) -> UInt64 {
  var hash = 0xCBF2_9CE4_8422_2325 ^ mixed(seed)
  for byte in text.utf8 {
    hash ^= UInt64(byte)
    hash &*= 0x0000_0100_0000_01B3
  }
  return mixed(mixed(hash))
}

/// A 64-bit hash of a number, equal on every machine and in every run.
///
/// For a fixed seed it is a bijection: different numbers never collide.
public func stableHash(_ value: UInt64, seed: UInt64) -> UInt64 {
  mixed(mixed(value ^ mixed(seed &+ 0x9E37_79B9_7F4A_7C15)))
}

/// The output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) after one step of its
/// sequence: a bijection of 64 bits with good avalanche.
private func mixed(_ value: UInt64) -> UInt64 {
  var z = value &+ 0x9E37_79B9_7F4A_7C15
  z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
  z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
  return z ^ (z >> 31)
}
