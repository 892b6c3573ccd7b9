# `make` lists the targets. Both commands of the README do all their set-up themselves.
SHELL := /bin/bash
.DEFAULT_GOAL := help
BUN_VERSION := 1.4.5
LOCAL_BUN := .tools/node_modules/.bin/bun
# A bun of exactly the pinned version that is already there is used; else it comes through npm.
BUN := $(shell if [ "$$(bun --version 2>/dev/null)" = "$(BUN_VERSION)" ]; then command -v bun; else echo $(CURDIR)/$(LOCAL_BUN); fi)
export PATH := $(dir $(BUN)):$(PATH)
SOURCES := $(shell find src patches packaging docs -type f 2>/dev/null) $(wildcard *.md) build.ts install.sh package.json bun.lock

.PHONY: help demo test test-dashboard check bench soak fuzz mutants interop interop-log build release test-install test-platforms test-upgrade test-kills clean screenshots

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: dist/qf ## Start a whole QuFabric here, sign in, run a command, show a refusal (ONCE=1 ends after that)
	@$(BUN) test/demo/run.ts $(if $(ONCE),--once,)

test: dist/qf system-packages ## Types, Biome, tidy, unit, integration and end-to-end tests
	@$(BUN) test/run.ts

test-dashboard: dist/qf system-packages ## Open every page of the dashboard as every role, empty and full, in both themes; by keys alone, from another origin; count presses
	@$(BUN) test --timeout 1200000 ./test/dashboard/every-page.ts ./test/dashboard/jobs.ts ./test/dashboard/focus.ts ./test/dashboard/components-page.ts ./test/dashboard/hostile-origin.ts

check: node_modules/.installed ## The static part of the tests only: types, Biome, tidy
	@$(BUN) test/run.ts static tidy

bench: dist/qf system-packages bench-packages ## Measure speed beside Debian's sshd, in one run (PARTS="relay soak": these only; BEFORE=CHECKOUT: beside another build)
	@$(BUN) $(if $(BEFORE),test/bench/beside.ts $(BEFORE),test/bench/run.ts $(PARTS))

soak: dist/qf system-packages bench-packages ## Ten commands a second through the whole path for 30 minutes (MINUTES=5: five)
	@MINUTES=$(or $(MINUTES),30) $(BUN) test/bench/run.ts --json dist/soak.json soak

fuzz: node_modules/.installed ## Mutate recorded handshakes for longer than the tests do, and draw new examples for property tests
	@$(BUN) test/fuzz/handshake.ts 100000
	@QF_SEED=random $(BUN) test $$(grep -rlE 'fast-check' test --include=*.test.ts | sed 's|^|./|')

mutants: node_modules/.installed ## Put single faults into a copy, and tell which no test notices (ONLY=policy: these only)
	@$(BUN) test/mutants/run.ts $(ONLY)

interop: dist/qf system-packages ## Run OpenSSH's own regression scripts and other clients, and write test/interop/*.md (OPENSSH=FOLDER: those of that build)
	@bash test/support/apt.sh tmux:tmux javac:openjdk-17-jdk-headless mvn:maven
	@OPENSSH="$(OPENSSH)" $(BUN) test/interop/clients-table.ts
	@OPENSSH="$(OPENSSH)" $(BUN) test/interop/regress.ts

interop-log: dist/qf ## Have an export of the audit log checked by Go's sumdb/note and tlog
	@bash test/support/apt.sh go:golang-go
	@$(BUN) test ./test/interop/log/check.ts

screenshots: dist/qf system-packages ## Write each page of the dashboard at three widths, light and dark, into dist/screenshots
	@$(BUN) test/screenshots.ts

build: dist/qf ## Build dist/qf, the one executable

test-install: dist/qf system-packages ## Install on a Debian that systemd boots, kill it in every way, and remove it again
	@bash test/support/apt.sh debootstrap:debootstrap systemd-nspawn:systemd-container
	@$(BUN) test/install/run.ts

test-platforms: dist/qf system-packages ## Agent, client and management on musl, Debian 13, Ubuntu and arm64 under qemu; the Windows client under Wine (ROOTS="musl": these only)
	@bash test/support/apt.sh debootstrap:debootstrap systemd-nspawn:systemd-container qemu-aarch64-static:qemu-user-static pip3:python3-pip unzip:unzip zsh:zsh fish:fish x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64-win32
	@$(MAKE) -s release TARGETS="linux-x64-baseline linux-x64-musl-baseline linux-arm64 linux-arm64-musl windows-x64"
	@$(BUN) test/platforms/run.ts $(ROOTS)

test-upgrade: dist/qf system-packages ## This build beside the one before (PREVIOUS=COMMIT): agents, management and clients of both, together
	@$(BUN) test/install/previous.ts

test-kills: dist/qf system-packages ## Kill agent and management again and again, at any moment (KILLS=200: so many times)
	@QF_KILLS=$(or $(KILLS),100) $(BUN) test --timeout 3600000 test/e2e/kill-loop.test.ts

release: node_modules/.installed ## Build every target, packages and SBOM into dist/release (RELEASE_KEY=FILE signs; TARGETS="linux-x64": these only)
	@bash test/support/apt.sh gcc:gcc /usr/include/stdio.h:libc6-dev musl-gcc:musl-tools aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu /usr/aarch64-linux-gnu/include/stdio.h:libc6-dev-arm64-cross dpkg-deb:dpkg rpmbuild:rpm ssh-keygen:openssh-client npm:npm
	@$(BUN) packaging/release.ts $(TARGETS)

clean: ## Remove what was built, installed and left by the demo
	rm -rf dist node_modules .tools .demo

dist/qf: $(SOURCES) node_modules/.installed | build-packages
	@$(BUN) build.ts

node_modules/.installed: package.json bun.lock $(wildcard patches/*) | $(BUN)
	@$(BUN) install --frozen-lockfile --ignore-scripts
	@touch $@

$(CURDIR)/$(LOCAL_BUN):
	@command -v npm >/dev/null || { echo "make: npm is needed to install bun $(BUN_VERSION): apt install npm" >&2; exit 1; }
	npm install --prefix .tools --no-save --no-audit --no-fund --loglevel=error bun@$(BUN_VERSION)

.PHONY: system-packages bench-packages build-packages
# A C compiler for the session helper; without one the executable does that work itself.
build-packages:
	@[ -n "$$CC" ] || bash test/support/apt.sh cc:gcc /usr/include/stdlib.h:libc6-dev

system-packages:
	@bash test/support/apt.sh /etc/ssl/certs/ca-certificates.crt:ca-certificates ssh:openssh-client ssh-keygen:openssh-client /usr/sbin/sshd:openssh-server useradd:passwd getent:libc-bin pgrep:procps plink:putty-tools ssh-audit:ssh-audit rsync:rsync sshfs:sshfs git:git curl:curl sudo:sudo tmux:tmux less:less vim:vim ansible:ansible-core mosh:mosh setpriv:util-linux /usr/lib/openssh/regress/test-exec.sh:openssh-tests /usr/lib/python3/dist-packages/paramiko:python3-paramiko /usr/lib/python3/dist-packages/asyncssh:python3-asyncssh dbclient:dropbear-bin ruby:ruby /usr/share/rubygems-integration/all/gems/net-ssh-7.0.1:ruby-net-ssh /usr/share/rubygems-integration/all/gems/net-sftp-4.0.0:ruby-net-sftp /usr/lib/x86_64-linux-gnu/perl5/5.36/Net/SSH2.pm:libnet-ssh2-perl /usr/include/libssh/libssh.h:libssh-dev /usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1:faketime chromium:chromium nft:nftables ip:iproute2 shellcheck:shellcheck busybox:busybox-static dash:dash wget:wget zstd:zstd tcpdump:tcpdump vi:vim-tiny /usr/lib/postgresql/15/bin/initdb:postgresql

bench-packages:
	@bash test/support/apt.sh /usr/sbin/sshd:openssh-server
