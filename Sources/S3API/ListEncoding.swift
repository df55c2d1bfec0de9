import Bytes

/// How keys are written in a listing: as they are, or percent-encoded where the client asked for it.
struct ListEncoding {
    let isURL: Bool

    /// Throws `InvalidArgument` for an encoding other than `url`.
    init(_ query: S3Query) throws(S3Error) {
        let type = query.value("encoding-type")
        guard type == nil || type == "url" || type == "" else {
            throw S3Error(
                .invalidArgument, "Invalid Encoding Method specified in Request",
                details: [("ArgumentName", "encoding-type"), ("ArgumentValue", type ?? "")])
        }
        isURL = type == "url"
    }

    func text(_ text: String) -> String { isURL ? PercentCoding.encode(text, keepingSlash: true) : text }
    func text(_ bytes: [UInt8]) -> String { text(String(utf8: bytes)) }
}
