import Formats
import ObjectClient

extension Client {
    /// `mc mb [--ignore-existing] ALIAS/BUCKET...`
    func makeBucket(_ arguments: [String]) async throws {
        let options = try Options(
            arguments, of: "mb", switches: ["ignore-existing": "p"], valued: ["region"])
        for word in try options.words(1...100, usage: "mb [--ignore-existing] ALIAS/BUCKET...") {
            guard case .remote(let place) = try self.place(word) else { throw Self.notRemote(word) }
            try place.requireBucket(for: "Unable to make bucket")
            guard place.key.isEmpty else {
                throw MCError(.usage, "Unable to make bucket `\(word)`. A bucket has no slash in its name.")
            }
            do {
                try await place.client.makeBucket(place.bucket)
            } catch let error as ObjectClientError
                where options.has("ignore-existing") && error.code.hasPrefix("BucketAlready")
            {
                // Wanted: it is there.
            } catch {
                throw MCError.wrap(error, "Unable to make bucket `\(place.text)`")
            }
            screen.say(
                "Bucket created successfully `\(place.text)`.", ["bucket": .string(place.text), "region": ""])
        }
    }

    /// `mc rb [--force] ALIAS/BUCKET...`
    func removeBucket(_ arguments: [String]) async throws {
        let options = try Options(arguments, of: "rb", switches: ["force": nil])
        for word in try options.words(1...100, usage: "rb [--force] ALIAS/BUCKET...") {
            guard case .remote(let place) = try self.place(word) else { throw Self.notRemote(word) }
            try place.requireBucket(for: "Unable to remove bucket")
            do {
                if options.has("force") { try await removeAll(place.with(key: "")) { _ in } }
                try await place.client.removeBucket(place.bucket)
            } catch {
                throw MCError.wrap(error, "Failed to remove `\(place.text)`")
            }
            screen.say("Removed `\(place.text)` successfully.", ["bucket": .string(place.text)])
        }
    }

    static func notRemote(_ word: String) -> MCError {
        MCError(
            .usage,
            "`\(word)` names no store: `\(word.prefix { $0 != "/" })` is not an alias. `mc alias set` makes one, `mc alias list` shows them."
        )
    }
}
