/// The bounds of the store, those of Amazon S3 where it has one.
package enum ObjectLimits {
    package static let keyBytesMax = 1024
    package static let userMetadataBytesMax = 2 * 1024
    /// Amazon S3 takes 5 GiB in one PUT; MinIO, whose users come here, 5 TiB.
    package static let objectBytesMax: Int64 = 5 << 40
    package static let partBytesMin: Int64 = 5 << 20
    package static let partBytesMax: Int64 = 5 << 30
    package static let partNumberMax = 10_000
    package static let listCountMax = 1000
    package static let deleteCountMax = 1000
    package static let tagCountMax = 10
    package static let tagKeyCharactersMax = 128
    package static let tagValueCharactersMax = 256
    package static let bucketCountMax = 10_000
}
