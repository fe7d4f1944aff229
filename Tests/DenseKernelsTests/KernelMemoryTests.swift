import DenseKernels
import Foundation
import Testing

@Suite("Memory of the kernels")
struct KernelMemoryTests {
  #if os(Linux)
    /// The page faults of the calling thread so far.
    private func pageFaults() -> Int {
      var usage = rusage()
      unsafe getrusage(1, &usage)  // RUSAGE_THREAD
      return usage.ru_minflt
    }

    @Test("matrices of a batch find the memory of the last batch")
    func keepsFreed() {
      #expect(KernelMemory.keepFreed())
      func batch() -> Float {
        // Five layers' outputs, alive together as on a tape.
        let outputs = (1...5).map { Matrix(rows: 2_560, columns: 128, repeating: Float($0)) }
        return outputs.reduce(0) { $0 + $1[2_559, 127] }
      }
      #expect(batch() == 15)
      let before = pageFaults()
      for _ in 0..<20 { #expect(batch() == 15) }
      // Each batch writes 1,600 pages of 4 KiB: given back and faulted in again, 32,000.
      #expect(pageFaults() - before < 3_000)
    }
  #endif
}
