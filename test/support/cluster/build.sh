#!/usr/bin/env bash
# Builds kube-apiserver and kube-controller-manager from Debian's source package kubernetes, once, into a folder of the
# user outside the checkout: there is no package of them. About 10 minutes; nothing of it when they are there. The lists
# of this machine's packages stay as they are.
set -euo pipefail

version='1.20.5+really1.20.2'
cache="${XDG_CACHE_HOME:-$HOME/.cache}/purveyor"
if compgen -G "$cache/kubernetes-$version*/kube-apiserver" >/dev/null; then exit 0; fi

mkdir -p "$cache"
exec 9>"$cache/kubernetes.lock"
flock 9
if compgen -G "$cache/kubernetes-$version*/kube-apiserver" >/dev/null; then exit 0; fi

apt-get update -q
RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
  golang-go dpkg-dev make rsync patch xz-utils golang-github-modern-go-reflect2-dev

build=$(mktemp -d "$cache/build-XXXXXX")
trap 'chmod -R u+w "$build" && rm -rf "$build"' EXIT
cd "$build"
mkdir lists
echo 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main' >sources.list
own=(-q -o "Dir::Etc::SourceList=$build/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$build/lists")
apt-get "${own[@]}" update
apt-get "${own[@]}" source kubernetes
full=$(sed -n 's/^Version: //p' kubernetes_*.dsc)

cd kubernetes-*/
# The reflect2 that it brings along is older than Go 1.18: with it the server dies at the first custom resource.
reflect2=vendor/github.com/modern-go/reflect2
rm "$reflect2"/*.go "$reflect2"/*.s
cp /usr/share/gocode/src/github.com/modern-go/reflect2/*.{go,s} "$reflect2"

CGO_ENABLED=0 GOPROXY=off GO111MODULE='' GOFLAGS=-tags=providerless GOCACHE="$build/go" \
  make WHAT='cmd/kube-apiserver cmd/kube-controller-manager' GOLDFLAGS='-s -w'
mkdir "$build/made"
cp _output/bin/kube-apiserver _output/bin/kube-controller-manager "$build/made/"
mv -T "$build/made" "$cache/kubernetes-$full"
