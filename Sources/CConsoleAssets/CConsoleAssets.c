#include "CConsoleAssets.h"

// One array a file. The compiler reads the files itself (`#embed`, C23), so a changed file rebuilds this one source.

static const unsigned char app_css[] = {
#embed "assets/app.css"
};

static const unsigned char app_js[] = {
#embed "assets/app.js"
};

static const unsigned char artifacts_js[] = {
#embed "assets/artifacts.js"
};

static const unsigned char buckets_js[] = {
#embed "assets/buckets.js"
};

static const unsigned char charts_js[] = {
#embed "assets/charts.js"
};

static const unsigned char cluster_js[] = {
#embed "assets/cluster.js"
};

static const unsigned char compare_js[] = {
#embed "assets/compare.js"
};

static const unsigned char dom_js[] = {
#embed "assets/dom.js"
};

static const unsigned char experiments_js[] = {
#embed "assets/experiments.js"
};

static const unsigned char http_js[] = {
#embed "assets/http.js"
};

static const unsigned char icon_svg[] = {
#embed "assets/icon.svg"
};

static const unsigned char index_html[] = {
#embed "assets/index.html"
};

static const unsigned char lineage_js[] = {
#embed "assets/lineage.js"
};

static const unsigned char login_js[] = {
#embed "assets/login.js"
};

static const unsigned char mlflow_js[] = {
#embed "assets/mlflow.js"
};

static const unsigned char models_js[] = {
#embed "assets/models.js"
};

static const unsigned char object_js[] = {
#embed "assets/object.js"
};

static const unsigned char objects_js[] = {
#embed "assets/objects.js"
};

static const unsigned char overview_js[] = {
#embed "assets/overview.js"
};

static const unsigned char preview_js[] = {
#embed "assets/preview.js"
};

static const unsigned char run_js[] = {
#embed "assets/run.js"
};

static const unsigned char runs_js[] = {
#embed "assets/runs.js"
};

static const unsigned char s3_js[] = {
#embed "assets/s3.js"
};

static const unsigned char serving_js[] = {
#embed "assets/serving.js"
};

static const unsigned char text_js[] = {
#embed "assets/text.js"
};

// Chart.js, as Debian packages it (MIT licence, docs/THIRD_PARTY.md).
#if !__has_embed("/usr/share/javascript/chart.js/chart.min.js")
#error "The chart library is missing. Run scripts/setup build, or apt-get install libjs-chart.js"
#endif
static const unsigned char chart_min_js[] = {
#embed "/usr/share/javascript/chart.js/chart.min.js"
};

#define ASSET(name, array) {name, array, sizeof array}

static const struct slipway_console_asset assets[] = {
    ASSET("app.css", app_css),
    ASSET("app.js", app_js),
    ASSET("artifacts.js", artifacts_js),
    ASSET("buckets.js", buckets_js),
    ASSET("charts.js", charts_js),
    ASSET("cluster.js", cluster_js),
    ASSET("compare.js", compare_js),
    ASSET("dom.js", dom_js),
    ASSET("experiments.js", experiments_js),
    ASSET("http.js", http_js),
    ASSET("icon.svg", icon_svg),
    ASSET("index.html", index_html),
    ASSET("lineage.js", lineage_js),
    ASSET("login.js", login_js),
    ASSET("mlflow.js", mlflow_js),
    ASSET("models.js", models_js),
    ASSET("object.js", object_js),
    ASSET("objects.js", objects_js),
    ASSET("overview.js", overview_js),
    ASSET("preview.js", preview_js),
    ASSET("run.js", run_js),
    ASSET("runs.js", runs_js),
    ASSET("s3.js", s3_js),
    ASSET("serving.js", serving_js),
    ASSET("text.js", text_js),
    ASSET("chart.min.js", chart_min_js),
};

size_t slipway_console_asset_count(void) { return sizeof assets / sizeof assets[0]; }

const struct slipway_console_asset *slipway_console_asset_at(size_t index) { return &assets[index]; }
