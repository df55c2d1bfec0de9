import CLinkedVersions

/// The C libraries the binary is linked with, by the versions they report at run time.
enum LinkedLibraries {
    static var all: [(String, String)] {
        (0..<slipway_linked_library_count()).map { index in
            (
                String(cString: slipway_linked_library_name(index)),
                String(cString: slipway_linked_library_version(index))
            )
        }
    }
}
