package import Clock

/// A list of entity tags as `If-Match` and `If-None-Match` carry it.
package enum EntityTags: Sendable, Equatable {
    case any
    case list([String])

    func matches(_ etag: String) -> Bool {
        switch self {
        case .any: true
        case .list(let tags): tags.contains(etag)
        }
    }
}

/// Conditions of a read, and of the source of a copy (RFC 9110 section 13).
package struct ReadConditions: Sendable {
    package var ifMatch: EntityTags?
    package var ifNoneMatch: EntityTags?
    package var ifModifiedSince: WallTime?
    package var ifUnmodifiedSince: WallTime?

    package init() {}

    /// Throws `preconditionFailed` or `notModified`. Entity tags win over dates (RFC 9110 section 13.2.2).
    package func check(etag: String, modified: WallTime) throws(ObjectError) {
        if let ifMatch {
            guard ifMatch.matches(etag) else { throw Self.failed("If-Match") }
        } else if let ifUnmodifiedSince, modified.seconds > ifUnmodifiedSince.seconds {
            throw Self.failed("If-Unmodified-Since")
        }
        if let ifNoneMatch {
            if ifNoneMatch.matches(etag) { throw ObjectError(.notModified, "If-None-Match") }
        } else if let ifModifiedSince, modified.seconds <= ifModifiedSince.seconds {
            throw ObjectError(.notModified, "If-Modified-Since")
        }
    }

    static func failed(_ condition: String) -> ObjectError { ObjectError(.preconditionFailed, condition) }
}

/// Conditions on the object that a write would replace or remove, checked in the transaction that does it: of any
/// number of writers with `If-None-Match: *` exactly one succeeds.
package struct WriteConditions: Sendable {
    package var ifMatch: EntityTags?
    package var ifNoneMatch: EntityTags?

    package init(ifMatch: EntityTags? = nil, ifNoneMatch: EntityTags? = nil) {
        self.ifMatch = ifMatch
        self.ifNoneMatch = ifNoneMatch
    }

    /// - Parameter etag: of the present object; nil when there is none.
    func check(_ etag: String?) throws(ObjectError) {
        if let ifMatch {
            guard let etag else { throw ObjectError(.keyNotFound, "The specified key does not exist.") }
            guard ifMatch.matches(etag) else { throw ReadConditions.failed("If-Match") }
        }
        if let ifNoneMatch, let etag, ifNoneMatch.matches(etag) { throw ReadConditions.failed("If-None-Match") }
    }
}
