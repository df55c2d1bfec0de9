/// What a model says of one of its inputs or outputs.
package struct TensorDescription: Sendable, Equatable {
    package let name: String
    package let type: TensorType
    /// -1 stands for a dimension of any size.
    package let shape: [Int]

    package init(name: String, type: TensorType, shape: [Int]) {
        self.name = name
        self.type = type
        self.shape = shape
    }
}
