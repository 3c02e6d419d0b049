# MorphoSeg in C.  `make` builds the programs into build/bin.
#
#   make demo       install what is missing, build, segment an image, say where to look
#   make check      install what is missing, build, run the tests (T='stream tile' for some)
#   make check-lowest        what tells processors apart, as on the least of them
#   make tables     the paper's tables, ours beside the paper's: SCALE=small (pipelines/)
#   make check-arm64         builds for arm64, and what needs no libtorch passes by an emulator
#   make check-clang         the same by clang as by gcc
#   make fuzz       changed files through every parser: MINUTES=1 each (needs clang)
#   make attack     the attack whose table SECURITY.md has: SCALE=full|small|smoke
#   make memcheck   the programs without libtorch under valgrind
#   make coverage   how many of lib's lines the tests run
#   make lint       compiler warnings as errors, clang-format, cppcheck, mandoc, groff, shellcheck
#   make census     what there is in the house: rooms, files, functions, callers
#   make deb        a Debian package, its programs called ms-tile and so on
#   make install    PREFIX=/usr/local, PROGRAM_PREFIX=ms- to avoid clashes of names; uninstall
#
#   isa=LEVEL       check as on a processor with no more than sse4, avx2, avx512, avx512bf16;
#                   emulate=1: by an emulator, as it is where this processor has less
#   asan=1 tsan=1   a build with sanitizers, in a folder of its own; coverage=1 counts lines
#   werror=1        warnings are errors
#   TORCH=DIR       a libtorch other than Debian's; TORCH=none: all but train and predict

VERSION = 0.1.0
PREFIX ?= /usr/local
TORCH  ?= /usr
# The root of the system that is compiled for, where that is another one.
SYSROOT =
OPT    ?= -O2 -g
BUILD   = build$(if $(asan),-asan)$(if $(tsan),-tsan)$(if $(coverage),-coverage)$(if $(filter none,$(TORCH)),-plain,$(if $(filter-out /usr,$(TORCH)),-torch))

SANITIZE = $(if $(asan),-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined \
           -fno-omit-frame-pointer)$(if $(tsan),-fsanitize=thread)$(if $(coverage),--coverage -Og)
comma    = ,
WARN     = -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wpointer-arith -Wvla -Wwrite-strings $(if $(werror),-Werror)
CWARN    = $(WARN) -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
CPPFLAGS = -Ilib -I. -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE \
           -DMORPHOSEG_VERSION='"$(VERSION)"'
COMMON   = $(OPT) -ftree-vectorize -fno-math-errno -ffp-contract=off -pthread \
           -ffunction-sections -fdata-sections $(SYSROOT:%=--sysroot=%) $(SANITIZE)
CFLAGS   = -std=c11 $(COMMON) $(CWARN)
CXXFLAGS = -std=$(TORCH_STD) $(COMMON) $(WARN)
LDFLAGS  = -Wl,--as-needed -Wl,--gc-sections -pthread $(SYSROOT:%=--sysroot=%) $(SANITIZE)

# ---- libtorch: only what is in lib/nn is compiled against it ----

# NDEBUG: as libtorch itself is built, which lays out some of its classes otherwise without it.
TORCH_CPPFLAGS = -DNDEBUG $(if $(filter-out /usr,$(TORCH)),-isystem $(TORCH)/include \
                 -isystem $(TORCH)/include/torch/csrc/api/include, \
                 -isystem $(SYSROOT)/usr/include/torch/csrc/api/include)
TORCH_CUDA     = $(wildcard $(TORCH)/lib/libtorch_cuda.so)
TORCH_LIBS     = $(if $(filter-out /usr,$(TORCH)),-L$(TORCH)/lib -Wl$(comma)-rpath$(comma)$(TORCH)/lib) \
                 $(if $(TORCH_CUDA),-Wl$(comma)--no-as-needed -ltorch_cuda -lc10_cuda -Wl$(comma)--as-needed) \
                 -ltorch_cpu -lc10 -lstdc++ $(OPENMP)

# Without it the loops that libtorch's headers divide among threads run on one.
OPENMP         = -fopenmp

# A libtorch says itself when it wants more than C++17.
TORCH_STD     := $(if $(shell grep -s 'error C++20' $(SYSROOT)$(TORCH)/include/ATen/ATen.h),c++20,c++17)

# oneDNN under Debian's libtorch, called directly too; any other libtorch has its own inside.
DNNL           = $(if $(filter /usr,$(TORCH)),$(wildcard $(SYSROOT)/usr/include/dnnl.hpp))
TORCH_CPPFLAGS += $(if $(DNNL),-DNN_DNNL=1)
TORCH_LIBS     += $(if $(DNNL),-ldnnl)

# Processes that train together need c10d, and Gloo's headers, which Debian packs apart.
C10D           = $(and $(wildcard $(SYSROOT)$(TORCH)/include/torch/csrc/distributed/c10d/ProcessGroupGloo.hpp), \
                 $(firstword $(wildcard $(SYSROOT)$(TORCH)/include/gloo/rendezvous/store.h)))
TORCH_CPPFLAGS += $(if $(C10D),-DNN_C10D=1 -DUSE_C10D_GLOO=1)

# ---- rooms: lib/NAME/*.c makes libNAME.a, tools/NAME.c makes bin/NAME ----

# In order: a room includes those before it, none after it (tests/house/layers.t).
ROOMS       = core cli stream weights image nn pixels objects scores draw tiles annot model predict train paper
sources     = $(wildcard lib/$(1)/*.c lib/$(1)/*.cpp)
objects     = $(patsubst %,$(BUILD)/%.o,$(basename $(call sources,$(1))))
archive     = $(BUILD)/lib/lib$(1).a
TOOLS       = $(filter-out $(if $(filter none,$(TORCH)),$(TORCH_TOOLS)),$(sort $(basename $(notdir $(wildcard tools/*.c)))))
SCRIPTS     = $(sort $(basename $(notdir $(wildcard tools/*.sh))))
PROGRAMS    = $(TOOLS) $(SCRIPTS)
TORCH_TOOLS = train predict
PLAIN_TOOLS = $(filter-out $(TORCH_TOOLS),$(TOOLS))
reversed    = $(if $(1),$(call reversed,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))
PLAIN_ROOMS = $(filter-out nn model predict,$(TORCH_ROOMS))
PLAIN_LIBS  = -ltiff -lpng -ljpeg -lz -larchive -ljansson -lexpat -lnettle -lm
TORCH_ROOMS = $(call reversed,$(ROOMS))
UNIT_TESTS  = $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*.c))
TORCH_TESTS = $(if $(filter none,$(TORCH)),,$(patsubst tests/torch/%.c,$(BUILD)/tests/torch/%,$(wildcard tests/torch/*.c)))
FUZZ_TARGETS = $(shell cut -d' ' -f1 tests/fuzz/targets)
FUZZERS     = $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/%)
REPLAYERS   = $(FUZZ_TARGETS:%=$(BUILD)/tests/replay/%)
HELPERS     = $(filter-out $(if $(filter none,$(TORCH)),$(TORCH_HELPERS)), \
              $(patsubst tests/helper/%.c,$(BUILD)/tests/helper/%,$(wildcard tests/helper/*.c)))
PRELOADED   = $(patsubst %,$(BUILD)/tests/fault/%.so,inject decoder inside)
TORCH_HELPERS = $(BUILD)/tests/helper/network $(BUILD)/tests/helper/training

# Of g++ alone; clang++ reads the header each time.
PRECOMPILED = $(if $(findstring clang,$(CXX)),,$(BUILD)/lib/nn/torch.hpp.gch)

# Commands are shown by their target's name; V=1 shows them whole.
Q = $(if $(V),,@printf '%-4s %s\n' $(1) $@; )

.PHONY: all demo check check-only built-tests fuzz lint lint-deps format install uninstall completions census clean deps
all: $(TOOLS:%=$(BUILD)/bin/%) $(SCRIPTS:%=$(BUILD)/bin/%)

$(BUILD)/bin/%: tools/%.sh
	@mkdir -p $(@D)
	@sed '2,/^set -u/s/^set -u/VERSION=$(VERSION)\nset -u/' $< >$@.new && chmod 755 $@.new && mv $@.new $@

$(BUILD)/lib/cli/prefixed.o: CPPFLAGS += -DMORPHOSEG_PROGRAMS='"$(PROGRAMS)"'

# The page that gallery writes, as lines of text in C.
$(BUILD)/lib/draw/gallery_template.c: lib/draw/gallery.html
	@mkdir -p $(@D)
	@{ echo 'extern const char *const gallery_template[];'; \
	    echo 'const char *const gallery_template[] = {'; \
	    sed 's/[\\"]/\\&/g; s/.*/    "&\\n",/' $<; echo '    0};'; } >$@
$(BUILD)/lib/draw/gallery_template.o: $(BUILD)/lib/draw/gallery_template.c
	$(call Q,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call Q,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/lib/nn/%.o: lib/nn/%.cpp $(PRECOMPILED)
	@mkdir -p $(@D)
	$(call Q,CXX)$(CXX) $(CPPFLAGS) $(TORCH_CPPFLAGS) $(CXXFLAGS) $(OPENMP) \
	    $(if $(PRECOMPILED),-include $(PRECOMPILED:.gch=)) -MMD -MP -c -o $@ $<

# libtorch's headers cost a compiler half a minute: they are read once.
$(BUILD)/lib/nn/torch.hpp.gch: lib/nn/torch.hpp
	@mkdir -p $(@D)
	@echo '#include "nn/torch.hpp"' >$(@:.gch=)
	$(call Q,PCH)$(CXX) $(CPPFLAGS) $(TORCH_CPPFLAGS) $(CXXFLAGS) $(OPENMP) -x c++-header -o $@ $<

# One loop that copies and searches stays one.
$(BUILD)/lib/core/peak.o: CFLAGS += $(if $(findstring clang,$(CC)),,-fno-tree-loop-distribute-patterns)

$(BUILD)/lib/nn/kernels.o: CFLAGS += -ffp-contract=fast -O3
$(BUILD)/lib/nn/attention.o $(BUILD)/lib/nn/winograd.o $(BUILD)/lib/nn/winograd_gradient.o: CXXFLAGS += -ffp-contract=fast -O3

define room
$(call archive,$(1)): $(call objects,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call Q,AR)ar rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room,$(r))))

$(BUILD)/lib/libdraw.a: $(BUILD)/lib/draw/gallery_template.o

# An archive gives a program only the objects it uses, and --as-needed only the
# shared libraries, so one link line serves all.
$(PLAIN_TOOLS:%=$(BUILD)/bin/%): $(BUILD)/bin/%: $(BUILD)/tools/%.o $(foreach r,$(PLAIN_ROOMS),$(call archive,$(r)))
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(LDFLAGS) -o $@ $^ $(PLAIN_LIBS)

$(TORCH_TOOLS:%=$(BUILD)/bin/%): $(BUILD)/bin/%: $(BUILD)/tools/%.o $(foreach r,$(TORCH_ROOMS),$(call archive,$(r)))
	@mkdir -p $(@D)
	$(call Q,LD)$(CXX) $(LDFLAGS) -o $@ $^ $(PLAIN_LIBS) $(TORCH_LIBS)

$(UNIT_TESTS) $(filter-out $(TORCH_HELPERS),$(HELPERS)): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(foreach r,$(PLAIN_ROOMS),$(call archive,$(r)))
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(LDFLAGS) -o $@ $^ $(PLAIN_LIBS)

$(TORCH_TESTS) $(TORCH_HELPERS): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(foreach r,$(TORCH_ROOMS),$(call archive,$(r)))
	@mkdir -p $(@D)
	$(call Q,LD)$(CXX) $(LDFLAGS) -o $@ $^ $(PLAIN_LIBS) $(TORCH_LIBS)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# ---- tests ----

ALL_SCRIPTS  = $(wildcard tests/cli/*.t tests/golden/*.t tests/fault/*.t tests/house/*.t)
# Without libtorch those that run neither train nor predict.
SCRIPT_TESTS = $(if $(filter none,$(TORCH)),$(shell for t in $(ALL_SCRIPTS); do \
               tests/needs $$t | grep -qE 'bin/(train|predict)|helper/(network|training)' || echo $$t; done),$(ALL_SCRIPTS))
ALL_TESTS    = $(UNIT_TESTS) $(TORCH_TESTS) $(SCRIPT_TESTS)
# Tests ask for more memory than there is, to see it refused.
SANITIZERS   = $(if $(asan),ASAN_OPTIONS=allocator_may_return_null=1) \
               $(if $(tsan),TSAN_OPTIONS=suppressions=$(CURDIR)/tests/tsan.supp)
CHOSEN_TESTS = $(if $(T),$(foreach t,$(T),$(filter %/$(t) %/$(t).t,$(ALL_TESTS))),$(ALL_TESTS))

built-tests: $(UNIT_TESTS) $(TORCH_TESTS) $(HELPERS) $(REPLAYERS) $(PRELOADED)

$(BUILD)/tests/fault/inside.so: tests/helper/barrage.c

$(PRELOADED) $(BUILD)/tests/fuzz/keep.so: $(BUILD)/tests/%.so: tests/%.c tests/preload.h
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) -std=c11 -D_DEFAULT_SOURCE -O1 -Wall -Wextra -I. -fPIC -shared -o $@ $< -ldl

deps:
	./setup

# Tests that are chosen by T install nothing, and build what they run.
check: $(if $(T),,deps)
	+$(MAKE) check-only

CHOSEN_SCRIPTS = $(filter %.t,$(CHOSEN_TESTS))
NEEDED = $(if $(T),$(if $(CHOSEN_SCRIPTS),$(addprefix $(BUILD)/,$(shell tests/needs $(CHOSEN_SCRIPTS)))), \
         all $(HELPERS) $(REPLAYERS) $(PRELOADED)) \
         $(if $(filter %/census.t,$(CHOSEN_SCRIPTS)),all built-tests) \
         $(if $(isa),$(BUILD)/tests/helper/cpu)

check-only: $(NEEDED) $(filter-out %.t,$(CHOSEN_TESTS))
	BUILD=$(CURDIR)/$(BUILD) $(SANITIZERS) $(if $(isa),EMULATE=$(emulate) tests/at-level $(isa),prove -j2 --timer --exec '') $(CHOSEN_TESTS)

# What tells levels of processors apart, at the lowest: kernels, golden values, programs.
LOWEST = $(notdir $(UNIT_TESTS) $(basename $(wildcard tests/golden/*.t))) nn attention golden predict

.PHONY: check-lowest
check-lowest:
	+$(MAKE) check-only isa=sse4 T='$(LOWEST)'

# ---- other processors and compilers ----

# Everything is built by Debian's cross compiler against Debian's libraries for arm64, which
# are unpacked into a folder; what needs no libtorch is tested by an emulator.  Needs
# mmdebstrap, crossbuild-essential-arm64, qemu-user.
ARM64_ROOT = $(CURDIR)/build-arm64-root
ARM64      = BUILD=build-arm64 SYSROOT=$(ARM64_ROOT) CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++
ARM64_LIBS = $(filter lib%-dev nettle-dev zlib1g-dev libopenblas0-pthread,$(shell cat packages.txt)) libc6-dev
DEBIAN     = http://deb.debian.org/debian

.PHONY: check-arm64 check-emulated check-clang
check-arm64: $(ARM64_ROOT)
	+$(MAKE) $(ARM64) all built-tests
	+$(MAKE) $(ARM64) check-emulated EMULATOR='qemu-aarch64 -L $(ARM64_ROOT)'

# No package's script runs, so what alternatives would link is linked here.
$(ARM64_ROOT):
	@mkdir -p $(@D)
	rm -rf $@.tmp
	mmdebstrap --quiet --variant=extract --architectures=arm64 $(ARM64_LIBS:%=--include=%) \
	    $$(. /etc/os-release && echo $$VERSION_CODENAME) $@.tmp $(DEBIAN)
	cd $@.tmp/usr/lib/aarch64-linux-gnu && ln -s openblas-pthread/lib*.so.? .
	mv $@.tmp $@

check-emulated:
	BUILD=$(CURDIR)/$(BUILD) tests/emulated $(CURDIR)/$(BUILD)/emulated '$(EMULATOR)' $(CHOSEN_TESTS)

check-clang:
	+$(MAKE) BUILD=build-clang CC=clang CXX=clang++ check

# ---- speed against other programs: make bench; make bench-score, one of tests/bench ----

.PHONY: bench
bench: all $(HELPERS)
	BUILD=$(CURDIR)/$(BUILD) tests/bench/all.sh

bench-%: all $(HELPERS)
	BUILD=$(CURDIR)/$(BUILD) tests/bench/$*.sh

# ---- fuzzing with clang: make fuzz T='weights stream' MINUTES=120 each; corpora are made anew ----

MINUTES = 1

fuzz: $(BUILD)/tests/fuzz/keep.so
	+$(MAKE) all $(UNIT_TESTS)
	+$(MAKE) coverage=1 BUILD=build-coverage $(FUZZ_TARGETS:%=build-coverage/tests/replay/%)
	+$(MAKE) BUILD=build-fuzz CC=clang $(FUZZ_TARGETS:%=build-fuzz/tests/fuzz/%) \
	    SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-sanitize=pointer-overflow'
	BUILD=$(BUILD) tests/fuzz/seeds build-fuzz/seeds
	FUZZ=build-fuzz COVERAGE=build-coverage SEEDS=build-fuzz/seeds tests/fuzz/run $(MINUTES) $(or $(T),$(FUZZ_TARGETS))

$(FUZZERS): $(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(foreach r,$(PLAIN_ROOMS),$(call archive,$(r)))
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(PLAIN_LIBS)

# The same without libFuzzer, for make check.
$(REPLAYERS): $(BUILD)/tests/replay/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/tests/fuzz/replay.o $(foreach r,$(PLAIN_ROOMS),$(call archive,$(r)))
	@mkdir -p $(@D)
	$(call Q,LD)$(CC) $(LDFLAGS) -o $@ $^ $(PLAIN_LIBS)

# ---- the attack whose table is in SECURITY.md: SCALE=full|small|smoke, PARTS='cuts kills' ----

.PHONY: attack
attack: all $(HELPERS) $(PRELOADED)
	BUILD=$(BUILD) SCALE=$(or $(SCALE),small) tests/attack $(PARTS)

# ---- the programs without libtorch under valgrind ----

.PHONY: memcheck
memcheck: all
	BUILD=$(BUILD) tests/memcheck

# ---- how many lines of lib the tests run, by gcov: a room a line; T= for some tests ----

# Without those that run for minutes, or build, and meet no line that the others leave out.
NOT_COUNTED = sandbox golden costs tables commands examples train-kill train-two attack deb install census layers plans results
COUNTED     = $(or $(T),$(filter-out $(NOT_COUNTED),$(sort $(basename $(notdir $(ALL_TESTS))))))

.PHONY: coverage
coverage:
	+-MORPHOSEG_SANDBOX=off $(MAKE) coverage=1 check-only T='$(COUNTED)'
	BUILD=build-coverage tests/coverage-table $(ROOMS)

# ---- the paper's tables and figures: SCALE=paper|code|small|smoke, see pipelines/ ----

PAPER = table1 table2 table3 table4 tables figure3 figure4 figure5 figures architectures report runs retry
.PHONY: $(PAPER)
$(PAPER): all
	+$(MAKE) -f pipelines/all.mk $@

DATA_RECIPES = data-nt2 data-bloodcell data-livecell data-weights
.PHONY: $(DATA_RECIPES)
$(DATA_RECIPES): all
	+$(MAKE) -f data/recipes.mk $@

# ---- one look at what it does ----

demo: deps
	+$(MAKE) all
	PATH=$(CURDIR)/$(BUILD)/bin:$$PATH sh examples/demo $(BUILD)/demo

# ---- the house ----

C_FILES     = $(wildcard lib/*/*.[ch] lib/nn/*.cpp tools/*.c tests/*.h tests/unit/*.c tests/helper/*.c tests/fuzz/*.[ch] tests/torch/*.c)
SHELL_FILES = $(wildcard tools/*.sh packaging/*.sh) setup .ci/run tests/at-level tests/attack tests/attack-parts.sh tests/coverage tests/coverage-table tests/emulated tests/fuzz/lines tests/fuzz/run tests/fuzz/seeds tests/machine tests/memcheck tests/needs tests/house/census $(wildcard tests/*.sh tests/*/*.t tests/bench/*.sh examples/*.sh) \
              examples/demo data/fetch $(addprefix pipelines/,attempt against common.sh cut figure figure3 plot processor publish records \
              report run unpack results/page study/missing study/run)

format:
	clang-format -i $(C_FILES)

# What there is: rooms, lengths of functions and files, doors that lead nowhere.
census: all built-tests
	@BUILD=$(BUILD) tests/house/census

lint: lint-deps
	+$(MAKE) werror=1 BUILD=build-lint all built-tests
	clang-format --dry-run -Werror $(C_FILES)
	cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --inline-suppr \
	    --suppress=missingIncludeSystem --suppress=ctunullpointer --std=c11 -Ilib -I. '-Dnoreturn=__attribute__((noreturn))' -DMORPHOSEG_VERSION='""' -DMORPHOSEG_PROGRAMS='""' \
	    $(wildcard lib/*/*.c tools/*.c)
	mandoc -T lint -W warning $(wildcard man/*.[1-9])
	! for p in $(wildcard man/*.[1-9]); do groff -mdoc -z -ww $$p 2>&1; done | grep .
	shellcheck -x $(SHELL_FILES)

lint-deps:
	@for t in clang-format cppcheck mandoc groff shellcheck; do \
	    command -v $$t >/dev/null || { echo "lint: apt-get install $$t" >&2; exit 1; }; done

# ---- installing: programs, man pages, completions, the default model ----

BINDIR   = $(DESTDIR)$(PREFIX)/bin
MANDIR   = $(DESTDIR)$(PREFIX)/share/man
SHAREDIR = $(DESTDIR)$(PREFIX)/share/morphoseg
BASHDIR  = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSHDIR   = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
PAGES    = $(notdir $(wildcard man/*.[157]))
# A page of a program has the program's name, with the prefix.
page     = $(if $(filter $(basename $(1)),$(PROGRAMS)),$(PROGRAM_PREFIX))$(1)
INSTALLED = $(PROGRAMS:%=$(BINDIR)/$(PROGRAM_PREFIX)%) \
            $(PROGRAMS:%=$(BASHDIR)/$(PROGRAM_PREFIX)%) $(PROGRAMS:%=$(ZSHDIR)/_$(PROGRAM_PREFIX)%) \
            $(foreach p,$(PAGES),$(MANDIR)/man$(subst .,,$(suffix $(p)))/$(call page,$(p))) \
            $(patsubst data/%,$(SHAREDIR)/%,$(wildcard data/*.safetensors))

completions: all
	@mkdir -p $(BUILD)/completions/bash $(BUILD)/completions/zsh
	@for p in $(PROGRAMS); do for s in bash zsh; do \
	    $(BUILD)/bin/$$p --list-options | awk -f completions/$$s.awk -v name=$(PROGRAM_PREFIX)$$p \
	        > $(BUILD)/completions/$$s/$$p || exit 1; done; done

install: all completions
	install -d $(sort $(dir $(INSTALLED)))
	for p in $(PROGRAMS); do \
	    install $(BUILD)/bin/$$p $(BINDIR)/$(PROGRAM_PREFIX)$$p && \
	    install -m 644 $(BUILD)/completions/bash/$$p $(BASHDIR)/$(PROGRAM_PREFIX)$$p && \
	    install -m 644 $(BUILD)/completions/zsh/$$p $(ZSHDIR)/_$(PROGRAM_PREFIX)$$p || exit 1; done
	for p in $(TOOLS); do strip $(BINDIR)/$(PROGRAM_PREFIX)$$p || exit 1; done
	$(foreach p,$(PAGES),awk -v prefix=$(PROGRAM_PREFIX) -v programs="$(PROGRAMS)" -f man/prefix.awk \
	    man/$(p) > $(MANDIR)/man$(subst .,,$(suffix $(p)))/$(call page,$(p)) &&) :
	install -m 644 $(wildcard data/*.safetensors) $(SHAREDIR)

# A package for this Debian; its programs are called ms-tile and so on.
DEB      = morphoseg_$(VERSION)_$(shell dpkg --print-architecture 2>/dev/null).deb
.PHONY: deb
deb: all
	+BUILD=$(BUILD) packaging/deb.sh $(VERSION) $(DEB)

# With the PREFIX and PROGRAM_PREFIX of the installation.
uninstall:
	rm -f $(INSTALLED)
	-rmdir $(SHAREDIR)

clean:
	rm -rf build build-asan build-tsan build-torch build-plain build-lint build-coverage build-fuzz
