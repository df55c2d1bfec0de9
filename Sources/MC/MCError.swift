import HTTPClient
import ObjectClient

/// What a person reads when a command cannot do what it was asked.
struct MCError: Error, Equatable {
    enum Code: Sendable {
        /// The command line cannot be understood.
        case usage
        /// The store refused, or is not there.
        case store
        /// A file of this machine cannot be read or written.
        case file
        case configuration
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// What `error` says about `doing`, such as "Unable to make bucket `myminio/models`".
    static func wrap(_ error: any Error, _ doing: String) -> MCError {
        switch error {
        case let error as MCError: error
        case let error as ObjectClientError: MCError(.store, "\(doing). \(reason(error))")
        case let error as HTTPClientError: MCError(.store, "\(doing). \(error.message)")
        default: MCError(.store, "\(doing). \(error)")
        }
    }

    /// The reason and the way out, in a sentence each.
    private static func reason(_ error: ObjectClientError) -> String {
        switch error.code {
        case "Unreachable":
            "\(sentence(error.message)) Is the server running there, and is it http or https?"
        case "InvalidAccessKeyId":
            "The Access Key Id you provided does not exist in our records. Set the alias again with the right key."
        case "SignatureDoesNotMatch":
            "The secret key does not belong to this access key. Set the alias again with the right secret."
        case "NoSuchBucket": "The specified bucket does not exist. `mc mb` makes it."
        case "NoSuchKey", "NotFound", "Status404": "Object does not exist."
        case "BucketAlreadyOwnedByYou":
            "\(sentence(error.message)) `--ignore-existing` takes that as success."
        case "BucketNotEmpty": "The bucket is not empty. `mc rb --force` removes it with what is in it."
        case "XMinioStorageFull": "The store's disk is full."
        default: sentence(error.message.isEmpty ? error.code : error.message)
        }
    }

    private static func sentence(_ text: String) -> String { text.hasSuffix(".") ? text : text + "." }
}
