# Targets: all lib module signer inspector ctl unit bench fuzz afl check layers asan check-asan tidy format clean
#
# Everything that is built goes under build/. VARIANT=asan builds library, programs and unit tests with AddressSanitizer
# and UBSan into build-asan/; the target asan also a server. VARIANT=fuzz and VARIANT=afl are the fuzzers' own.

CC        ?= gcc
CXX       := g++
VARIANT   ?= plain
PKG       := cairo jansson hiredis libcurl libpcre2-8 libqrencode libsodium libssl libcrypto zlib
CPPFLAGS  += -D_GNU_SOURCE -Ilib $(shell pkg-config --cflags cairo jansson libcurl libsodium) -I/usr/include/mariadb
WARNINGS  := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
             -Wpointer-arith -Wformat=2 -Wvla -Wundef -Werror
ifeq ($(VARIANT),asan)
BUILD     ?= build-asan
SANITIZE  := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined
CFLAGS    := $(SANITIZE)
RELAXED   := -Wno-error    # the checks that are built in mislead some warnings; the plain build has them all
DEFAULTS  := $(BUILD)/t/lib/sanitizers.o
else ifeq ($(VARIANT),fuzz)
CC        := clang
BUILD     ?= build-fuzz
CFLAGS    := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
RELAXED   := -Wno-error
else ifeq ($(VARIANT),afl)
CC        := AFL_QUIET=1 AFL_USE_ASAN=1 AFL_USE_UBSAN=1 afl-clang-fast
BUILD     ?= build-afl
CFLAGS    := -O1 -g -fno-omit-frame-pointer
RELAXED   := -Wno-error
else
BUILD     ?= build
CFLAGS    ?= -O2 -g
endif
CFLAGS    += -std=gnu11 -fPIC -fstack-protector-strong -pthread $(WARNINGS) $(RELAXED)
LIBS      := $(shell pkg-config --libs $(PKG)) -lmariadb -lzxcvbn -lm -lpthread

# What each program chooses for itself.
SEAMS          := lib/base/system.c lib/base/log_stderr.c
LIB_SOURCES    := $(filter-out $(SEAMS),$(wildcard lib/*.c lib/*/*.c))
SIGNER_SOURCES := $(wildcard signer/*.c)
INSPECTOR_C    := $(wildcard inspector/*.c)
INSPECTOR_CXX  := $(wildcard inspector/*.cc)
CTL_SOURCES    := $(wildcard ctl/*.c)

objects = $(patsubst %.cc,$(BUILD)/%.o,$(patsubst %.c,$(BUILD)/%.o,$(1)))

SHELL := /bin/bash

.PHONY: all lib module signer inspector ctl unit bench fuzz afl fuzzers check layers asan check-asan print-sanitize tidy \
        format clean
.DELETE_ON_ERROR:

all: lib module signer inspector ctl

lib: $(BUILD)/libcaportal.a

$(BUILD)/libcaportal.a: $(call objects,$(LIB_SOURCES))
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The module, against the installed server's own source tree and configure flags: the result loads into that server.
NGINX_SOURCE ?= /usr/share/nginx/src
NGINX_FLAGS  ?= --with-compat
module: $(BUILD)/ngx_http_caportal_module.so

MODULE_SOURCES := $(wildcard ngx_caportal_module/*.c ngx_caportal_module/*.h)
$(BUILD)/nginx/Makefile: config config.make
	@mkdir -p $(BUILD)
	rm -rf $(BUILD)/nginx-source && cp -r $(NGINX_SOURCE) $(BUILD)/nginx-source
	cd $(BUILD)/nginx-source && . ./conf_flags && CAPORTAL_BUILD=$(abspath $(BUILD)) \
	    ./configure "$${NGX_CONF_FLAGS[@]}" $(NGINX_FLAGS) --builddir=../nginx --add-dynamic-module=$(CURDIR) \
	    >../configure.log || { tail -20 ../configure.log; exit 1; }
$(BUILD)/ngx_http_caportal_module.so: $(BUILD)/nginx/Makefile $(MODULE_SOURCES) $(BUILD)/libcaportal.a
	cd $(BUILD)/nginx-source && $(MAKE) -f ../nginx/Makefile modules
	cp $(BUILD)/nginx/ngx_http_caportal_module.so $@.new && mv $@.new $@    # a server may be running with the old one

signer: $(BUILD)/caportal-signer
$(BUILD)/caportal-signer: $(call objects,$(SIGNER_SOURCES) $(SEAMS)) $(DEFAULTS) $(BUILD)/libcaportal.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lp11

# The decoders, which no other program links. C++ is for qpdf and poppler, whose C interfaces lack what is needed.
DECODERS        := libseccomp spng libjpeg fontconfig freetype2 libqpdf poppler-cpp
DECODERS_CFLAGS := $(subst -I,-isystem ,$(shell pkg-config --cflags $(DECODERS)))
DECODERS_LIBS   := $(shell pkg-config --libs $(DECODERS)) -lgif
CXXFLAGS        := $(filter-out -std=gnu11 -Wstrict-prototypes -Wmissing-prototypes,$(CFLAGS)) -std=gnu++17

$(BUILD)/inspector/%.o: CPPFLAGS += $(DECODERS_CFLAGS)
$(BUILD)/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -c -o $@ $<

inspector: $(BUILD)/caportal-inspector
$(BUILD)/caportal-inspector: $(call objects,$(INSPECTOR_C) $(INSPECTOR_CXX) lib/base/log_stderr.c) $(DEFAULTS) \
                             $(BUILD)/libcaportal.a
	$(CXX) $(CXXFLAGS) -Wl,-z,relro,-z,now $(LDFLAGS) -o $@ $^ $(DECODERS_LIBS) -lpthread

ctl: $(BUILD)/caportalctl
$(BUILD)/caportalctl: $(call objects,$(CTL_SOURCES) lib/base/system.c) $(DEFAULTS) $(BUILD)/libcaportal.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# The unit tests: one program a file, with a clock and randomness of their own (t/unit/seams.c).
UNIT_SOURCES := $(filter-out t/unit/seams.c,$(wildcard t/unit/*.c))
unit: $(patsubst t/unit/%.c,$(BUILD)/t/unit/%,$(UNIT_SOURCES))
$(BUILD)/t/unit/%: $(BUILD)/t/unit/%.o $(BUILD)/t/unit/seams.o $(DEFAULTS) $(BUILD)/libcaportal.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

# What the inspector's tests are made with.
INSPECT_SOURCES := $(wildcard t/inspector/*.c)
unit: $(patsubst t/inspector/%.c,$(BUILD)/t/inspector/%,$(INSPECT_SOURCES))
$(BUILD)/t/inspector/%: $(BUILD)/t/inspector/%.o $(DEFAULTS) $(BUILD)/inspector/cage.o $(BUILD)/libcaportal.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lseccomp -ljpeg $(LIBS)

# What the benchmarks compare with, and what they need.
BENCH_SOURCES := $(wildcard t/bench/*.c)
PRELOADED     := $(wildcard t/bench/preload/*.c)
bench: $(patsubst t/bench/%.c,$(BUILD)/t/bench/%,$(BENCH_SOURCES)) \
    $(patsubst t/bench/preload/%.c,$(BUILD)/t/bench/%.so,$(PRELOADED))
$(BUILD)/t/bench/inspect_bare: LIBS += -ljpeg
$(BUILD)/t/bench/%: $(BUILD)/t/bench/%.o $(BUILD)/lib/base/system.o $(BUILD)/libcaportal.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/t/bench/%.so: t/bench/preload/%.c
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -shared -o $@ $<

# Fuzzers (t/fuzz/run): a program for each parser and the first seeds of those of files, for libFuzzer and for AFL++.
WALKERS := png jpeg bmp gif pdf
fuzz:
	+$(MAKE) VARIANT=fuzz fuzzers
afl:
	+$(MAKE) VARIANT=afl fuzzers
WALK_FUZZERS := $(WALKERS:%=$(BUILD)/t/fuzz/walk-%)
FUZZERS      := $(WALK_FUZZERS) $(addprefix $(BUILD)/t/fuzz/,csr multipart gate-form)
fuzzers: $(FUZZERS) $(BUILD)/t/fuzz/seeds
$(WALK_FUZZERS:%=%.o): $(BUILD)/t/fuzz/walk-%.o: t/fuzz/walk.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -DWALK_KIND=CP_WALK_$(shell echo $* | tr a-z A-Z) -MMD -MP -c -o $@ $<
$(WALK_FUZZERS): $(call objects,$(wildcard lib/walk/*.c))
$(BUILD)/t/fuzz/csr: $(call objects,$(addprefix lib/certificate/,csr.c der_read.c der_write.c key.c key_verify.c weak.c) \
                                    $(addprefix lib/base/,arena.c crypto.c error.c str.c system.c))
$(BUILD)/t/fuzz/multipart: $(call objects,$(wildcard lib/multipart/*.c) $(addprefix lib/base/,arena.c error.c str.c))
$(BUILD)/t/fuzz/gate-form: $(call objects,$(wildcard lib/gate/*.c lib/multipart/*.c lib/walk/*.c) \
                                     lib/catalog/catalog_words.c $(addprefix lib/base/,arena.c error.c str.c))
$(FUZZERS): %: %.o
	$(CC) $(CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ -ljansson -lcrypto -lsodium -lz
$(BUILD)/t/fuzz/seeds: t/fuzz/seeds.c t/unit/pictures.h
	@mkdir -p $(@D)
	gcc $(CPPFLAGS) -std=gnu11 -O2 $(WARNINGS) -o $@ $< -lz

# Everything that must hold before a commit.
check: layers
	t/run

layers:
	perl t/lib/layers.pl .

C_FILES := $(wildcard lib/*.[ch] lib/*/*.[ch] signer/*.[ch] ctl/*.[ch] t/unit/*.[ch] t/bench/*.c t/bench/preload/*.c \
                      t/fuzz/*.c)
tidy:
	clang-tidy --quiet $(filter %.c,$(C_FILES)) -- $(CPPFLAGS) -std=gnu11

# The module has the server's own look, which the formatter does not know.
format:
	clang-format -i $(C_FILES)

# Everything with the sanitizers and a server that the module is linked into, in build-asan/.
asan:
	t/lib/build-asan

# All tests under the sanitizers.
check-asan: asan
	CAPORTAL_BUILD=$(CURDIR)/build-asan CAPORTAL_NGINX=$(CURDIR)/build-asan/sbin/nginx t/run

print-sanitize:
	@echo $(SANITIZE)

clean:
	rm -rf build build-asan build-fuzz build-afl

-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)
