#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#else
  private import Darwin
#endif

// The platform's mathematics behind one import. Inlined: the module is compiled as a whole.

func naturalLogarithm(_ x: Float) -> Float { log(x) }

func naturalLogarithm(_ x: Double) -> Double { log(x) }

/// log(1 + x)
func logarithm1p(_ x: Float) -> Float { log1p(x) }

func exponential(_ x: Float) -> Float { exp(x) }

/// 2^x
func exponential2(_ x: Double) -> Double { exp2(x) }

func sine(_ x: Float) -> Float { sin(x) }

func cosine(_ x: Float) -> Float { cos(x) }
