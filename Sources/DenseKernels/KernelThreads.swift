private import CVectorMath

/// How many OpenMP threads one matrix product may use.
///
/// The bits of a product can depend on the count (the inner sum may be split), so a run records
/// it. Products from several Swift threads at once use this many each.
package enum KernelThreads {
  /// Sets the count for every thread of the process, from its next product on.
  package static func set(_ count: Int) {
    precondition(count > 0 && count <= 4096, "a product cannot use \(count) threads")
    cvm_set_threads(CInt(count))
  }

  /// The count in use.
  package static var count: Int { Int(cvm_threads()) }
}
