internal import CVectorMath

/// A function applied to each output of a layer.
///
/// NaN passes through all of them, also through `relu`.
package enum Activation: String, Sendable, CaseIterable, Codable {
  /// z
  case identity
  /// max(z, 0)
  case relu
  /// tanh z
  case tanh
  /// 1 / (1 + e⁻ᶻ)
  case sigmoid

  var kernel: cvm_activation {
    switch self {
    case .identity: cvm_identity
    case .relu: cvm_relu
    case .tanh: cvm_activation_tanh
    case .sigmoid: cvm_activation_sigmoid
    }
  }
}
