/// A tensor: elements in row-major order, little-endian. Elements of type `bytes` stand one after another, each behind
/// its length in 4 bytes, as the V2 protocol's binary form has them.
package struct Tensor: Sendable, Equatable {
    package var type: TensorType
    package var shape: [Int]
    /// Often a part of a larger buffer, such as a request body, so that nothing is copied on the way in.
    package var data: ArraySlice<UInt8>

    /// The caller has checked that `data` holds as many elements as `shape` says; see `elementCount(_:)`.
    package init(type: TensorType, shape: [Int], data: ArraySlice<UInt8>) {
        self.type = type
        self.shape = shape
        self.data = data
    }

    /// The number of elements of `shape`; nil when a dimension is negative or the product does not fit.
    package static func elementCount(_ shape: [Int]) -> Int? {
        var count = 1
        var overflowed = false
        for dimension in shape {
            guard dimension >= 0 else { return nil }
            // A later zero makes an overflowing product 0, but such a shape is nobody's honest wish.
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            count = product
            overflowed = overflowed || overflow
        }
        return overflowed ? nil : count
    }

    /// The number of elements when `data` of type `bytes` is well-formed; nil otherwise.
    package static func stringCount(_ data: ArraySlice<UInt8>) -> Int? {
        var index = data.startIndex
        var count = 0
        while index < data.endIndex {
            guard let length = stringLength(data, at: index) else { return nil }
            index += 4 + length
            count += 1
        }
        return count
    }

    /// The length of the element whose prefix stands at `index`; nil when it would reach past the end.
    package static func stringLength(_ data: ArraySlice<UInt8>, at index: Int) -> Int? {
        guard data.endIndex - index >= 4 else { return nil }
        let length =
            Int(data[index]) | Int(data[index + 1]) << 8 | Int(data[index + 2]) << 16 | Int(data[index + 3]) << 24
        return length <= data.endIndex - index - 4 ? length : nil
    }
}

/// What a model takes or gives under one name.
package struct TensorSpecification: Sendable, Equatable {
    package var name: String
    package var type: TensorType
    /// -1 stands for any size.
    package var shape: [Int]

    package init(name: String, type: TensorType, shape: [Int]) {
        self.name = name
        self.type = type
        self.shape = shape
    }
}
