// Rules for names and labels. The wording is what people who use kubectl have seen before.

import Bytes
import Formats

/// Checks of names, label keys and label values.
package enum ObjectNames {
    /// Why `name` may not name an object of `kind`; nil when it may.
    package static func fault(_ name: String, _ rule: ResourceKind.NameRule) -> String? {
        switch rule {
        case .label: labelFault(name)
        case .subdomain: subdomainFault(name)
        case .pathSegment: pathSegmentFault(name)
        }
    }

    package static func labelFault(_ name: String) -> String? {
        if name.utf8.count > 63 { return "must be no more than 63 characters" }
        guard isLabel(name.utf8) else {
            return
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
                + "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
                + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
        }
        return nil
    }

    package static func subdomainFault(_ name: String) -> String? {
        if name.utf8.count > 253 { return "must be no more than 253 characters" }
        guard name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy(isLabel) else {
            return
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "
                + "must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
                + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        }
        return nil
    }

    private static func pathSegmentFault(_ name: String) -> String? {
        if name == "." || name == ".." { return "may not be '\(name)'" }
        if name.utf8.count > 253 { return "must be no more than 253 characters" }
        if let sign = name.utf8.first(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "%") }) {
            return "may not contain '\(Character(UnicodeScalar(sign)))'"
        }
        return name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } ? nil : "may not contain control characters"
    }

    /// Why `key` may not be the key of a label or annotation: `[prefix/]name`.
    package static func qualifiedNameFault(_ key: String) -> String? {
        let parts = key.pieces(by: "/", omittingEmptySubsequences: false)
        guard let name = parts.last, parts.count <= 2 else { return "a qualified name has at most one '/'" }
        if parts.count == 2 {
            if parts[0].isEmpty { return "prefix part must be non-empty" }
            if let fault = subdomainFault(String(parts[0])) { return "prefix part \(fault)" }
        }
        if name.isEmpty { return "name part must be non-empty" }
        if name.utf8.count > 63 { return "name part must be no more than 63 characters" }
        guard isQualifiedName(name.utf8) else {
            return "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
                + "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
                + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
        }
        return nil
    }

    package static func labelValueFault(_ value: String) -> String? {
        if value.utf8.count > 63 { return "must be no more than 63 characters" }
        guard value.isEmpty || isQualifiedName(value.utf8) else {
            return
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
                + "must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
                + "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
        }
        return nil
    }

    private static func isLabel(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
        guard let first = bytes.first, let last = bytes.last, isLowerAlphanumeric(first), isLowerAlphanumeric(last)
        else { return false }
        return bytes.allSatisfy { isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isQualifiedName(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
        guard let first = bytes.first, let last = bytes.last, isAlphanumeric(first), isAlphanumeric(last)
        else { return false }
        return bytes.allSatisfy {
            isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
        }
    }

    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        ASCII.isDigit(byte) || byte &- UInt8(ascii: "a") < 26
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool { isLowerAlphanumeric(ASCII.lowercase(byte)) }
}

/// Checks of the metadata that every kind has.
enum ObjectMetadataRules {
    /// Bytes of all annotations of one object.
    static let annotationBytesMax = 256 * 1024

    /// What is wrong with the metadata of `object`, to be stored as `name`.
    static func causes(_ object: JSON, _ kind: ResourceKind, name: String) -> [ClusterError.Cause] {
        var causes: [ClusterError.Cause] = []
        if let fault = ObjectNames.fault(name, kind.nameRule) {
            causes.append(.invalid("metadata.name", value: .string(name), fault))
        }
        let metadata = object["metadata"] ?? [:]
        for (key, value) in metadata["labels"]?.objectValue ?? JSONObject() {
            if let fault = ObjectNames.qualifiedNameFault(key) {
                causes.append(.invalid("metadata.labels", value: .string(key), fault))
            }
            if let fault = value.stringValue.map(ObjectNames.labelValueFault) ?? "must be a string" {
                causes.append(.invalid("metadata.labels", value: value, fault))
            }
        }
        var annotationBytes = 0
        for (key, value) in metadata["annotations"]?.objectValue ?? JSONObject() {
            if let fault = ObjectNames.qualifiedNameFault(key.lowercased()) {
                causes.append(.invalid("metadata.annotations", value: .string(key), fault))
            }
            guard let text = value.stringValue else {
                causes.append(.invalid("metadata.annotations", value: value, "must be a string"))
                continue
            }
            annotationBytes += key.utf8.count + text.utf8.count
        }
        if annotationBytes > annotationBytesMax {
            causes.append(
                ClusterError.Cause(
                    reason: "FieldValueTooLong", message: "Too long: may not be more than \(annotationBytesMax) bytes",
                    field: "metadata.annotations"))
        }
        for (index, finalizer) in (metadata["finalizers"]?.arrayValue ?? []).enumerated() {
            if let fault = finalizer.stringValue.map(ObjectNames.qualifiedNameFault) ?? "must be a string" {
                causes.append(.invalid("metadata.finalizers[\(index)]", value: finalizer, fault))
            }
        }
        for (index, owner) in (metadata["ownerReferences"]?.arrayValue ?? []).enumerated() {
            for field in ["apiVersion", "kind", "name", "uid"] where (owner[field]?.stringValue ?? "").isEmpty {
                causes.append(.required("metadata.ownerReferences[\(index)].\(field)", "must not be empty"))
            }
        }
        return causes
    }
}
