import Bytes

/// An amount of a resource as Kubernetes writes it: `500m`, `1Gi`, `2`, `1e3`.
package struct Quantity: Sendable, Comparable {
    /// The amount in thousandths, rounded up; saturates.
    package let thousandths: Int64

    /// Parses `text`; nil when it is no quantity. Source: the grammar in Kubernetes' `resource.Quantity` documentation.
    package init?(_ text: String) {
        var digits = text.utf8[...]
        var isNegative = false
        if let sign = digits.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            digits = digits.dropFirst()
        }
        let number = digits.prefix { ASCII.isDigit($0) || $0 == UInt8(ascii: ".") }
        guard number.contains(where: ASCII.isDigit), number.count(where: { $0 == UInt8(ascii: ".") }) <= 1,
            number.count <= 40,
            let value = Double(String(Substring(number))),
            let factor = Self.factor(String(Substring(digits[number.endIndex...])))
        else { return nil }
        let amount = (value * factor * 1000).rounded(.up) * (isNegative ? -1 : 1)
        thousandths = amount >= 9.2e18 ? .max : amount <= -9.2e18 ? .min : Int64(amount)
    }

    /// Whole units, rounded up: bytes, seconds, cores.
    package var units: Int64 { thousandths / 1000 + (thousandths % 1000 > 0 ? 1 : 0) }

    package static func < (left: Quantity, right: Quantity) -> Bool { left.thousandths < right.thousandths }

    private static func factor(_ suffix: String) -> Double? {
        switch suffix {
        case "": return 1
        case "n": return 1e-9
        case "u": return 1e-6
        case "m": return 1e-3
        case "k": return 1e3
        case "M": return 1e6
        case "G": return 1e9
        case "T": return 1e12
        case "P": return 1e15
        case "E": return 1e18
        case "Ki": return 1024
        case "Mi": return 1_048_576
        case "Gi": return 1_073_741_824
        case "Ti": return 1_099_511_627_776
        case "Pi": return 1_125_899_906_842_624
        case "Ei": return 1_152_921_504_606_846_976
        default:
            guard let first = suffix.first, first == "e" || first == "E", let exponent = Int(suffix.dropFirst()),
                (-30...30).contains(exponent)
            else { return nil }
            var factor = 1.0
            for _ in 0..<abs(exponent) { factor *= 10 }
            return exponent < 0 ? 1 / factor : factor
        }
    }
}
