// The tables. Points of a metric live in one clustered table ordered as they are read (run, key, step, time), and the
// latest point of each key in another, so that a search joins one row a run and key whatever the history's length: the
// reference server's ordered search on 10,000 runs takes seconds because it has no such access path.

import Database

enum TrackingSchema {
    static let migrations = [
        Migration(version: 1, name: "tracking and registry", statements: experiments + runs + loggedModels + registry)
    ]

    private static let experiments = [
        """
        CREATE TABLE experiments (
            experiment_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, artifact_location TEXT NOT NULL,
            lifecycle_stage TEXT NOT NULL, creation_time INTEGER NOT NULL, last_update_time INTEGER NOT NULL)
        """,
        """
        CREATE TABLE experiment_tags (
            experiment_id INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE, tag_key TEXT NOT NULL,
            tag_value TEXT NOT NULL, PRIMARY KEY (experiment_id, tag_key)) WITHOUT ROWID
        """,
    ]

    private static let runs = [
        """
        CREATE TABLE runs (
            run_number INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE,
            experiment_id INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE, run_name TEXT NOT NULL,
            user_id TEXT NOT NULL, status TEXT NOT NULL, start_time INTEGER NOT NULL, end_time INTEGER,
            lifecycle_stage TEXT NOT NULL, deleted_time INTEGER, artifact_uri TEXT NOT NULL)
        """,
        "CREATE INDEX runs_by_experiment ON runs (experiment_id, lifecycle_stage, start_time)",
        """
        CREATE TABLE metric_points (
            run_number INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, metric_key TEXT NOT NULL,
            step INTEGER NOT NULL, logged_at INTEGER NOT NULL, value DOUBLE PRECISION NOT NULL, is_nan INTEGER NOT NULL,
            PRIMARY KEY (run_number, metric_key, step, logged_at, value, is_nan)) WITHOUT ROWID
        """,
        """
        CREATE TABLE latest_metrics (
            run_number INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, metric_key TEXT NOT NULL,
            step INTEGER NOT NULL, logged_at INTEGER NOT NULL, value DOUBLE PRECISION NOT NULL, is_nan INTEGER NOT NULL,
            PRIMARY KEY (run_number, metric_key)) WITHOUT ROWID
        """,
        """
        CREATE TABLE params (
            run_number INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, param_key TEXT NOT NULL,
            param_value TEXT NOT NULL, PRIMARY KEY (run_number, param_key)) WITHOUT ROWID
        """,
        """
        CREATE TABLE run_tags (
            run_number INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, tag_key TEXT NOT NULL,
            tag_value TEXT NOT NULL, PRIMARY KEY (run_number, tag_key)) WITHOUT ROWID
        """,
        """
        CREATE TABLE datasets (
            dataset_number INTEGER PRIMARY KEY, experiment_id INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE,
            name TEXT NOT NULL, digest TEXT NOT NULL, source_type TEXT NOT NULL, source TEXT NOT NULL,
            schema_text TEXT, profile_text TEXT, UNIQUE (experiment_id, name, digest))
        """,
        """
        CREATE TABLE run_datasets (
            run_number INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
            dataset_number INTEGER NOT NULL REFERENCES datasets ON DELETE CASCADE,
            PRIMARY KEY (run_number, dataset_number)) WITHOUT ROWID
        """,
        """
        CREATE TABLE run_dataset_tags (
            run_number INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, dataset_number INTEGER NOT NULL,
            tag_key TEXT NOT NULL, tag_value TEXT NOT NULL,
            PRIMARY KEY (run_number, dataset_number, tag_key)) WITHOUT ROWID
        """,
        """
        CREATE TABLE run_models (
            run_number INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, direction TEXT NOT NULL,
            model_id TEXT NOT NULL, step INTEGER NOT NULL, PRIMARY KEY (run_number, direction, model_id)) WITHOUT ROWID
        """,
    ]

    private static let loggedModels = [
        """
        CREATE TABLE logged_models (
            model_number INTEGER PRIMARY KEY, model_id TEXT NOT NULL UNIQUE,
            experiment_id INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE, name TEXT NOT NULL,
            model_type TEXT, source_run_id TEXT, artifact_location TEXT NOT NULL, status INTEGER NOT NULL,
            status_message TEXT, lifecycle_stage TEXT NOT NULL, creation_time INTEGER NOT NULL,
            last_update_time INTEGER NOT NULL)
        """,
        "CREATE INDEX logged_models_by_experiment ON logged_models (experiment_id, lifecycle_stage)",
        """
        CREATE TABLE logged_model_params (
            model_number INTEGER NOT NULL REFERENCES logged_models ON DELETE CASCADE, param_key TEXT NOT NULL,
            param_value TEXT NOT NULL, PRIMARY KEY (model_number, param_key)) WITHOUT ROWID
        """,
        """
        CREATE TABLE logged_model_tags (
            model_number INTEGER NOT NULL REFERENCES logged_models ON DELETE CASCADE, tag_key TEXT NOT NULL,
            tag_value TEXT NOT NULL, PRIMARY KEY (model_number, tag_key)) WITHOUT ROWID
        """,
        """
        CREATE TABLE logged_model_metrics (
            model_number INTEGER NOT NULL REFERENCES logged_models ON DELETE CASCADE, metric_key TEXT NOT NULL,
            run_id TEXT NOT NULL, dataset_name TEXT NOT NULL, dataset_digest TEXT NOT NULL, step INTEGER NOT NULL,
            logged_at INTEGER NOT NULL, value DOUBLE PRECISION NOT NULL, is_nan INTEGER NOT NULL,
            PRIMARY KEY (model_number, metric_key, run_id, dataset_name, dataset_digest)) WITHOUT ROWID
        """,
    ]

    private static let registry = [
        """
        CREATE TABLE registered_models (
            name TEXT PRIMARY KEY, creation_time INTEGER NOT NULL, last_update_time INTEGER NOT NULL,
            description TEXT, version_last INTEGER NOT NULL) WITHOUT ROWID
        """,
        """
        CREATE TABLE registered_model_tags (
            name TEXT NOT NULL REFERENCES registered_models ON UPDATE CASCADE ON DELETE CASCADE, tag_key TEXT NOT NULL,
            tag_value TEXT NOT NULL, PRIMARY KEY (name, tag_key)) WITHOUT ROWID
        """,
        """
        CREATE TABLE model_versions (
            name TEXT NOT NULL REFERENCES registered_models ON UPDATE CASCADE ON DELETE CASCADE,
            version INTEGER NOT NULL, creation_time INTEGER NOT NULL, last_update_time INTEGER NOT NULL,
            description TEXT, user_id TEXT, stage TEXT NOT NULL, source TEXT NOT NULL, run_id TEXT, run_link TEXT,
            model_id TEXT, PRIMARY KEY (name, version)) WITHOUT ROWID
        """,
        "CREATE INDEX model_versions_by_run ON model_versions (run_id)",
        """
        CREATE TABLE model_version_tags (
            name TEXT NOT NULL, version INTEGER NOT NULL, tag_key TEXT NOT NULL, tag_value TEXT NOT NULL,
            PRIMARY KEY (name, version, tag_key), FOREIGN KEY (name, version)
            REFERENCES model_versions ON UPDATE CASCADE ON DELETE CASCADE) WITHOUT ROWID
        """,
        """
        CREATE TABLE registered_model_aliases (
            name TEXT NOT NULL, alias TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (name, alias),
            FOREIGN KEY (name, version) REFERENCES model_versions ON UPDATE CASCADE ON DELETE CASCADE) WITHOUT ROWID
        """,
    ]
}
