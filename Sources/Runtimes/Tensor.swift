/// A dense tensor in row-major order.
package struct Tensor: Sendable, Equatable {
    package enum Storage: Sendable, Equatable {
        /// Little-endian elements of a fixed-width type.
        case fixed([UInt8])
        /// The elements of a `BYTES` tensor.
        case strings([[UInt8]])
    }

    package let type: TensorType
    package let shape: [Int]
    package let storage: Storage

    /// Traps when `storage` does not hold what `type` and `shape` say: whoever takes a tensor off the wire checks first.
    package init(type: TensorType, shape: [Int], storage: Storage) {
        switch storage {
        case .fixed(let bytes):
            precondition(type.byteCount.map { $0 * Self.elementCount(shape).unsafelyPositive == bytes.count } ?? false)
        case .strings(let strings):
            precondition(type == .bytes && strings.count == Self.elementCount(shape).unsafelyPositive)
        }
        self.type = type
        self.shape = shape
        self.storage = storage
    }

    package var elementCount: Int { Self.elementCount(shape).unsafelyPositive }

    /// The number of elements of `shape`, or nil when a dimension is negative or the product overflows.
    package static func elementCount(_ shape: [Int]) -> Int? {
        var count = 1
        for dimension in shape {
            guard dimension >= 0 else { return nil }
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            guard !overflow else { return nil }
            count = product
        }
        return count
    }

    /// The tensors joined along their first dimension. All have the same type and the same further dimensions.
    package static func concatenate(_ tensors: [Tensor]) -> Tensor {
        guard let first = tensors.first, tensors.count > 1 else { return tensors[0] }
        let rows = tensors.reduce(0) { $0 + $1.shape[0] }
        let shape = [rows] + first.shape.dropFirst()
        if first.type == .bytes {
            return Tensor(type: .bytes, shape: shape, storage: .strings(tensors.flatMap(\.strings)))
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(tensors.reduce(0) { $0 + $1.bytes.count })
        for tensor in tensors { bytes.append(contentsOf: tensor.bytes) }
        return Tensor(type: first.type, shape: shape, storage: .fixed(bytes))
    }

    /// Rows `range` of the first dimension.
    package func rows(_ range: Range<Int>) -> Tensor {
        let rowElements = shape.dropFirst().reduce(1, *)
        let shape = [range.count] + self.shape.dropFirst()
        switch storage {
        case .strings(let strings):
            return Tensor(
                type: type, shape: shape,
                storage: .strings(Array(strings[range.lowerBound * rowElements..<range.upperBound * rowElements])))
        case .fixed(let bytes):
            let rowBytes = rowElements * (type.byteCount ?? 0)
            return Tensor(
                type: type, shape: shape,
                storage: .fixed(Array(bytes[range.lowerBound * rowBytes..<range.upperBound * rowBytes])))
        }
    }

    /// The elements of a fixed-width tensor; empty for `BYTES`.
    package var bytes: [UInt8] { if case .fixed(let bytes) = storage { bytes } else { [] } }

    /// The elements of a `BYTES` tensor; empty for the others.
    package var strings: [[UInt8]] { if case .strings(let strings) = storage { strings } else { [] } }
}

extension Optional<Int> {
    /// The count of a shape that was checked when its tensor was made.
    fileprivate var unsafelyPositive: Int {
        guard let self else { preconditionFailure("a tensor's shape is not negative and does not overflow") }
        return self
    }
}
