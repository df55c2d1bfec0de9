# `docker` as Debian's podman-docker has it: another name of podman. Images and settings stay in $WORK; a registry on this machine
# needs no TLS, as with Docker.
ln -s "$(command -v podman)" "$WORK/bin/docker"
mkdir -p "$WORK/containers"
cat > "$WORK/containers/storage.conf" << TOML
[storage]
driver = "overlay"
graphroot = "$WORK/containers/storage"
runroot = "$WORK/containers/run"
TOML
cat > "$WORK/containers/registries.conf" << TOML
[[registry]]
location = "localhost:$REGISTRY"
insecure = true
TOML
# Zstandard packs layers of a gigabyte in a fraction of gzip's time.
cat > "$WORK/containers/containers.conf" << TOML
[engine]
compression_format = "zstd"
compression_level = 1
TOML
export CONTAINERS_STORAGE_CONF=$WORK/containers/storage.conf CONTAINERS_REGISTRIES_CONF=$WORK/containers/registries.conf
export CONTAINERS_CONF=$WORK/containers/containers.conf BUILDAH_ISOLATION=chroot
