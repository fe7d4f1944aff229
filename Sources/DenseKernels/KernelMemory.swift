private import CVectorMath

/// How the process treats memory that matrices have freed.
package enum KernelMemory {
  /// Keeps freed memory (up to 512 MiB at the end of a heap) for the next matrices.
  ///
  /// The C library gives blocks of some hundred KiB back to the system, and the next batch
  /// faults them in again, which can take longer than the batch's products. A process that
  /// trains or serves calls this once at its start.
  ///
  /// - Returns: false where the C library has no such switch; nothing changes then.
  @discardableResult
  package static func keepFreed() -> Bool { cvm_keep_freed_memory() != 0 }
}
