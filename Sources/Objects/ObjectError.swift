package import BlobStore
package import Database

/// Why the object store refused or failed. Free of HTTP; S3API maps `code` to its wire form.
package struct ObjectError: Error, Sendable, Equatable {
    package enum Code: Sendable, Equatable {
        case accessDenied
        case bucketNotFound
        case bucketExists
        case bucketOwned
        case bucketNotEmpty
        case bucketNameInvalid
        case bucketCountTooLarge
        case keyInvalid
        case keyTooLong
        case keyNotFound
        case uploadNotFound
        case partNumberInvalid
        case partNotFound
        case partOrderInvalid
        case partTooSmall
        case partListInvalid
        case sizeMismatch
        case checksumMismatch
        case checksumTypeInvalid
        case metadataTooLarge
        case tagInvalid
        case tooLarge
        case notModified
        case preconditionFailed
        case rangeNotSatisfiable
        case partNumberOutOfRange
        /// The disk is full; reading and deleting go on.
        case full
        /// Too much waits already; nothing was done and a later try may succeed.
        case busy
        /// Stored bytes do not match their checksum.
        case corrupt
        /// Another process serves the folder.
        case locked
        /// A failure of ours or of the machine; details are in `message`, for the log only.
        case `internal`
    }

    package let code: Code
    /// Says what is wrong. Written for clients unless `code` is `internal` or `corrupt`.
    package let message: String

    package init(_ code: Code, _ message: String = "") {
        self.code = code
        self.message = message
    }

    package init(_ error: BlobError) {
        switch error.code {
        case .full: self.init(.full, "the disk is full; delete something and try again")
        case .busy: self.init(.busy, "too much disk work waits; try again")
        case .corrupt, .missing: self.init(.corrupt, error.message)
        case .locked: self.init(.locked, error.message)
        case .incompatible, .io: self.init(.internal, error.message)
        }
    }

    package init(_ error: DatabaseError) {
        switch error.code {
        case .full: self.init(.full, "the disk is full; delete something and try again")
        case .busy, .queueFull, .timeout: self.init(.busy, "too much index work waits; try again")
        default: self.init(.internal, error.description)
        }
    }

    /// Any error as one of this domain.
    package init(wrapping error: any Error) {
        switch error {
        case let error as ObjectError: self = error
        case let error as BlobError: self.init(error)
        case let error as DatabaseError: self.init(error)
        default: self.init(.internal, "\(error)")
        }
    }
}
