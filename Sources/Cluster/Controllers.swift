// The controllers of the cluster, started together: claims, pods, workflows. Each works from objects and files alone, so
// starting them after a crash goes on where the last server stopped.

import Files
package import Images
import Log
package import Runner
import Synchronization

/// What controllers may be told besides the objects.
package struct ControllerSettings: Sendable {
    /// The platform's data folder, absolute; the controllers use `cluster/` in it.
    package var dataFolder: String
    /// Folders that may hold `python/NAME/bin`: environments for the images `slipway/python-NAME`.
    package var runtimeFolders: [String] = []
    /// Folders of the host that pods may mount with `hostPath`.
    package var hostPaths: [String] = []
    /// Variables every container gets before its own.
    package var environment: [(name: String, value: String)] = []
    /// Where images are pulled from and how much room they take; its folder is the controllers' own.
    package var images = ImageSettings(folder: "")

    package init(dataFolder: String) { self.dataFolder = dataFolder }
}

/// The running controllers.
package final class Controllers: Sendable {
    /// Logs of pods.
    package let logs: PodLogFiles
    /// How steps are kept apart from the host.
    package let isolation: Isolation
    /// Pulled images.
    package let images: ImageStore
    /// Commands in running pods.
    package let sessions: PodSessions
    /// True when pods see a file system of their own, so that volumes can be mounted.
    package var hasPrivateView: Bool { isolation.hasPrivateView }
    private let pods: PodController
    private let tasks: Mutex<[Task<Void, Never>]>
    /// Controllers that make pods.
    private let makers: Mutex<[Task<Void, Never>]>

    private init(
        logs: PodLogFiles, images: ImageStore, sessions: PodSessions, isolation: Isolation, pods: PodController,
        tasks: [Task<Void, Never>], makers: [Task<Void, Never>]
    ) {
        self.logs = logs
        self.images = images
        self.sessions = sessions
        self.isolation = isolation
        self.pods = pods
        self.tasks = Mutex(tasks)
        self.makers = Mutex(makers)
    }

    /// Starts all controllers on the objects of `store`. Throws when the data folder cannot be used or `images.json` is
    /// wrong. Call it early: a small process is forked here, and the less this one has done, the smaller it is.
    package static func start(store: ResourceStore, settings: ControllerSettings) async throws -> Controllers {
        let folders = ClusterFolders(data: settings.dataFolder)
        for folder in [folders.images, folders.volumes, folders.pods, folders.artifacts, folders.names] {
            try FileTools.makeFolder(folder, mode: 0o755)
        }
        let runner = try StepRunner(folder: folders.runner)
        let images = try ImageTable.standard(folders: folders, runtimes: settings.runtimeFolders)
        let table = ImageTableCache(
            folders: folders, runtimes: settings.runtimeFolders, table: images)
        let files = FilePool()
        let names = HostNames(store: store, folder: folders.names, files: files)
        var imageSettings = settings.images
        imageSettings.folder = folders.pulled
        var context = PodContext(
            store: store, runner: runner, files: files,
            settings: {
                var pods = PodSettings(folders: folders, images: table.current())
                pods.hostPaths = settings.hostPaths
                pods.environment = settings.environment
                return pods
            }, images: ImageStore(settings: imageSettings), reloadImages: { table.reload() })
        context.network = store.network.map { ($0, names, HostPorts(bindAddress: $0.bindAddress)) }
        let pods = PodController(context: context)
        let claims = ClaimController(context: context)
        let workflows = WorkflowController(context: context)
        // Detached: they serve the whole process and end with `shutdown`.
        var tasks = [
            Task.detached { await claims.run() }, Task.detached { await pods.run() },
        ]
        if let network = store.network {
            let services = ServiceController(store: store, network: network, names: names)
            tasks.append(Task.detached { await services.run() })
        }
        let makers = [
            Task.detached { await workflows.run() },
            Task.detached { await ReplicaSetController(store: store).run() },
            Task.detached { await DeploymentController(store: store).run() },
            Task.detached { await JobController(store: store).run() },
        ]
        let logs = PodLogFiles(store: store, folders: folders, files: files)
        let sessions = PodSessions(runner: runner, pods: pods)
        return Controllers(
            logs: logs, images: context.images, sessions: sessions, isolation: runner.isolation, pods: pods,
            tasks: tasks, makers: makers)
    }

    /// Ends every process of every pod, SIGKILL after the grace period, and then the controllers. Pods that were running
    /// end Failed with reason `Terminated`.
    package func shutdown(gracePeriodMilliseconds: Int = 1000) async {
        let all = tasks.withLock { $0 }
        // These first, or they would start anew what is stopped here.
        for task in makers.withLock({ $0 }) { task.cancel() }
        await pods.shutdown(gracePeriodMilliseconds: gracePeriodMilliseconds)
        for task in all { task.cancel() }
    }
}

/// The image table, read again when its file changed.
final class ImageTableCache: Sendable {
    private let folders: ClusterFolders
    private let runtimes: [String]
    private let state: Mutex<(table: ImageTable, text: [UInt8]?)>
    private let logger = Logger(role: "cluster")

    init(folders: ClusterFolders, runtimes: [String], table: ImageTable) {
        self.folders = folders
        self.runtimes = runtimes
        state = Mutex((table, FileTools.read(folders.imageTable)))
    }

    func current() -> ImageTable { state.withLock { $0.table } }

    /// Reads the table's file, and keeps the table that is when the file is wrong. Blocks.
    func reload() {
        let text = FileTools.read(folders.imageTable)
        guard state.withLock({ $0.text != text }) else { return }
        do {
            let table = try ImageTable.standard(folders: folders, runtimes: runtimes)
            state.withLock { $0 = (table, text) }
        } catch {
            logger.warning("the image table was not read again", [("reason", "\(error)")])
            state.withLock { $0.text = text }
        }
    }
}
