import CVersion
import MC

extension Command {
    /// `slipway mc`, and the program itself when it is called `mc`.
    static let mc = Command(
        name: "mc", summary: "client for this and any other S3 store",
        details: """
            The operations and messages that MinIO's users know. A link named mc to this binary is the same program:
            `mc cp -r models/ local/models`. `slipway mc --help` lists the operations.
            """,
        positional: "OPERATION [ARGUMENTS]",
        positionalChoices: [
            "alias", "mb", "rb", "ls", "tree", "cp", "mirror", "cat", "pipe", "stat", "rm", "du", "find", "share",
        ],
        examples: [
            ("slipway mc alias set local http://127.0.0.1:9000 minio miniostorage", "A name for a store"),
            ("slipway mc cp --recursive models/ local/models", "A folder's contents into a bucket"),
        ],
        run: {
            await Client.run($0.words, environment: $0.environment, version: String(cString: slipway_version()))
        })
}
