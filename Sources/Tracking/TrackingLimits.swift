// The bounds that clients of the tracking protocol expect, and the rules for names.

import Bytes

/// Bounds of one call and of stored texts.
package enum TrackingLimits {
    package static let metricsPerBatchMax = 1000
    package static let parametersPerBatchMax = 100
    package static let tagsPerBatchMax = 100
    package static let entitiesPerBatchMax = 1000
    package static let datasetsPerCallMax = 1000
    package static let datasetNameBytesMax = 500
    package static let datasetDigestBytesMax = 36
    package static let keyCharactersMax = 250
    /// Longer parameter values and run tags are cut, as the reference server does by default.
    package static let parameterCharactersMax = 6000
    package static let tagCharactersMax = 8000
    package static let experimentNameCharactersMax = 500
    package static let experimentTagCharactersMax = 20_000
    package static let registryTagCharactersMax = 100_000
    package static let aliasCharactersMax = 255
    package static let descriptionCharactersMax = 5000
    package static let modelNameCharactersMax = 256
    package static let locationCharactersMax = 5000
    package static let runsPerPageMax = 50_000
    package static let experimentsPerPageMax = 50_000
    package static let modelsPerPageMax = 1000
    package static let versionsPerPageMax = 200_000
    package static let loggedModelsPerPageMax = 1000
    package static let historyPerPageMax = 25_000
    package static let runsPerHistoryMax = 100
    package static let pointsPerRunMax = 2500
    package static let experimentsPerDatasetSearchMax = 20
    package static let filterBytesMax = 64 * 1024
    package static let filterClausesMax = 64
}

/// Rules for the names that clients choose.
enum NameRules {
    /// Checks a metric, parameter or tag key: letters, digits and `_-.: /`, at most 250, no path tricks.
    static func checkKey(_ key: String, _ kind: String) throws(TrackingError) {
        guard !key.isEmpty else { throw .invalid("A \(kind) name must not be empty: give it a key.") }
        guard key.unicodeScalars.count <= TrackingLimits.keyCharactersMax else {
            throw .invalid(
                "\(kind) name '\(abbreviated(key))' had length \(key.unicodeScalars.count), which exceeded length limit of \(TrackingLimits.keyCharactersMax)"
            )
        }
        let allowed = key.unicodeScalars.allSatisfy {
            // Nearly every key is ASCII, and Unicode's tables cost more than all other checks together.
            if $0.isASCII { return ASCII.isAlphanumeric(UInt8(ascii: $0)) || "_-.: /".unicodeScalars.contains($0) }
            return $0.properties.isAlphabetic || $0.properties.numericType != nil
        }
        guard allowed else {
            throw .invalid(
                "Invalid \(kind) name: '\(abbreviated(key))'. Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/)."
            )
        }
        guard isUniquePath(key) else {
            throw .invalid(
                "Invalid \(kind) name: '\(abbreviated(key))'. Names may be treated as files in certain cases, and must not resolve to other names when treated as such."
            )
        }
    }

    /// False when `name`, read as a path, would be spelled differently after normalisation or leave its folder.
    private static func isUniquePath(_ name: String) -> Bool {
        if name.starts(withBytesOf: "/") || name.utf8.last == UInt8(ascii: "/") { return false }
        return name.pieces(by: "/", omittingEmptySubsequences: false).allSatisfy {
            $0 != "" && $0 != "." && $0 != ".."
        }
    }

    static func checkModelName(_ name: String) throws(TrackingError) {
        guard !name.isEmpty else { throw .invalid("Registered model name cannot be empty.") }
        guard name.unicodeScalars.count <= TrackingLimits.modelNameCharactersMax else {
            throw .invalid(
                "Registered model name '\(abbreviated(name))' exceeds the maximum length of \(TrackingLimits.modelNameCharactersMax) characters."
            )
        }
        guard !name.unicodeScalars.contains(where: { $0 == "/" || $0 == ":" || $0.value < 0x20 || $0.value == 0x7f })
        else {
            throw .invalid("Invalid name: '\(abbreviated(name))'. Registered model name cannot contain '/' or ':'.")
        }
    }

    static func checkLoggedModelName(_ name: String) throws(TrackingError) {
        let forbidden = "/:.%\"'".unicodeScalars
        guard !name.unicodeScalars.contains(where: { forbidden.contains($0) || $0.value < 0x20 }) else {
            throw .invalid(
                "Invalid model name (\(abbreviated(name))) provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '\"', \"'\")"
            )
        }
        guard !name.isEmpty, name.unicodeScalars.count <= TrackingLimits.modelNameCharactersMax else {
            throw .invalid(
                "Invalid model name provided: a name of 1 to \(TrackingLimits.modelNameCharactersMax) characters is needed."
            )
        }
    }

    static func checkAlias(_ alias: String) throws(TrackingError) {
        guard !alias.isEmpty else { throw .invalid("Registered model alias name cannot be empty.") }
        guard alias.unicodeScalars.count <= TrackingLimits.aliasCharactersMax else {
            throw .invalid(
                "Registered model alias name '\(abbreviated(alias))' had length \(alias.unicodeScalars.count), which exceeded length limit of \(TrackingLimits.aliasCharactersMax)"
            )
        }
        let allowed = alias.utf8.allSatisfy {
            ASCII.isAlphanumeric($0) || $0 == 0x5f || $0 == 0x2d
        }
        guard allowed else {
            throw .invalid(
                "Invalid alias name: '\(abbreviated(alias))'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
            )
        }
        let isVersionLike =
            (alias.hasPrefix("v") || alias.hasPrefix("V")) && alias.utf8.count > 1
            && alias.utf8.dropFirst().allSatisfy(ASCII.isDigit)
        guard !isVersionLike else { throw .invalid("Version alias name '\(abbreviated(alias))' is reserved.") }
        guard !alias.utf8.elementsEqual("latest".utf8, by: { ASCII.lowercase($0) == $1 }) else {
            throw .invalid("'latest' alias name (case insensitive) is reserved.")
        }
    }

    /// `text` cut to `count` Unicode scalars.
    static func cut(_ text: String, to count: Int) -> String {
        if text.utf8.count <= count || text.unicodeScalars.count <= count { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(count)))
    }

    /// `text` short enough for a message.
    static func abbreviated(_ text: String) -> String {
        text.unicodeScalars.count <= 120 ? text : cut(text, to: 100) + "..."
    }
}
