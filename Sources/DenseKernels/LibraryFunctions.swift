#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#else
  private import Darwin
#endif

// The C library's scalar functions under names that `VectorMath` does not use.
func libraryExp(_ x: Double) -> Double { exp(x) }
func libraryLog(_ x: Double) -> Double { log(x) }
func libraryLog1p(_ x: Double) -> Double { log1p(x) }
func libraryTanh(_ x: Double) -> Double { tanh(x) }
