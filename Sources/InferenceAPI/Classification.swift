// The classification extension: instead of a tensor, the classes with the largest values, each as the text
// "value:index" or, with a label file, "value:index:label".

import Bytes
import Inference
import Runtimes

enum Classification {
    /// The `wanted.classCount` largest elements of each row. Throws `invalid` for BYTES.
    static func classes(
        _ tensor: Tensor, _ wanted: RequestedOutput, _ model: ModelVersion
    ) throws(InferenceError) -> Tensor {
        guard tensor.type != .bytes else {
            throw InferenceError(.invalid, "output \"\(wanted.name)\" holds strings; classification needs numbers")
        }
        return largest(tensor, wanted, model)
    }

    private static func largest(_ tensor: Tensor, _ wanted: RequestedOutput, _ model: ModelVersion) -> Tensor {
        let values = numbers(tensor)
        let batches = model.configuration.batchSizeMax > 0 && !tensor.shape.isEmpty
        let rows = batches ? tensor.shape[0] : 1
        let rowLength = rows > 0 ? values.count / rows : 0
        let count = min(wanted.classCount, rowLength)
        let labels = model.labels[wanted.name] ?? []
        var data: [UInt8] = []
        for row in 0..<rows {
            append(values[row * rowLength..<(row + 1) * rowLength], count, labels, to: &data)
        }
        return Tensor(type: .bytes, shape: batches ? [rows, count] : [count], data: data[...])
    }

    /// Appends the `count` largest of one row.
    private static func append(_ row: ArraySlice<Double>, _ count: Int, _ labels: [String], to data: inout [UInt8]) {
        let order = row.indices.sorted { (row[$0], $1) > (row[$1], $0) }
        for index in order.prefix(count) {
            let position = index - row.startIndex
            var text: [UInt8] = []
            text.append(fixed(row[index]))
            text.append(":\(position)")
            if position < labels.count, !labels[position].isEmpty { text.append(":\(labels[position])") }
            let length = UInt32(text.count)
            for shift in [0, 8, 16, 24] as [UInt32] { data.append(UInt8(truncatingIfNeeded: length >> shift)) }
            data += text
        }
    }

    private static func numbers(_ tensor: Tensor) -> [Double] {
        var numbers: [Double] = []
        let data = tensor.data
        switch tensor.type {
        case .bool, .uint8: numbers = data.map { Double($0) }
        case .int8: numbers = data.map { Double(Int8(bitPattern: $0)) }
        case .uint16: data.forEachElement(UInt16.self) { numbers.append(Double($0)) }
        case .int16: data.forEachElement(Int16.self) { numbers.append(Double($0)) }
        case .uint32: data.forEachElement(UInt32.self) { numbers.append(Double($0)) }
        case .int32: data.forEachElement(Int32.self) { numbers.append(Double($0)) }
        case .uint64: data.forEachElement(UInt64.self) { numbers.append(Double($0)) }
        case .int64: data.forEachElement(Int64.self) { numbers.append(Double($0)) }
        case .fp16: data.forEachElement(UInt16.self) { numbers.append(Double(Float16(bitPattern: $0))) }
        case .bf16: data.forEachElement(UInt16.self) { numbers.append(Double(Float(bitPattern: UInt32($0) << 16))) }
        case .fp32: data.forEachElement(UInt32.self) { numbers.append(Double(Float(bitPattern: $0))) }
        case .fp64: data.forEachElement(UInt64.self) { numbers.append(Double(bitPattern: $0)) }
        case .bytes: break
        }
        return numbers
    }

    /// Six digits behind the point, as C's `%f`; values too large for that in their shortest form.
    private static func fixed(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e12 else { return "\(value)" }
        let scaled = Int64((value.magnitude * 1e6).rounded())
        var text: [UInt8] = []
        if value.sign == .minus { text.append("-") }
        text.append(decimal: scaled / 1_000_000)
        text.append(".")
        text.append(decimal: Int(scaled % 1_000_000), width: 6)
        return String(utf8: text)
    }
}
