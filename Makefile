# Targets: all lib module signer ctl unit check layers asan tidy format clean
#
# Everything that is built goes under build/. VARIANT=asan builds the same with AddressSanitizer and UBSan into
# build-asan/.

CC        ?= gcc
BUILD     ?= build
PKG       := jansson hiredis libcurl libpcre2-8 libsodium libssl libcrypto
CPPFLAGS  += -D_GNU_SOURCE -Ilib $(shell pkg-config --cflags jansson libcurl libsodium) -I/usr/include/mariadb
WARNINGS  := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
             -Wpointer-arith -Wformat=2 -Wvla -Wundef -Werror
CFLAGS    ?= -O2 -g
CFLAGS    += -std=gnu11 -fPIC -fstack-protector-strong -pthread $(WARNINGS)
LIBS      := $(shell pkg-config --libs $(PKG)) -lmariadb -lpthread

LIB_SOURCES    := $(filter-out lib/base/system.c,$(wildcard lib/*.c lib/*/*.c))
SIGNER_SOURCES := $(wildcard signer/*.c)
CTL_SOURCES    := $(wildcard ctl/*.c)

objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

.PHONY: all lib module signer ctl unit check layers asan tidy format clean
.DELETE_ON_ERROR:

all: lib module signer ctl

lib: $(BUILD)/libcaportal.a

$(BUILD)/libcaportal.a: $(call objects,$(LIB_SOURCES))
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

signer: $(BUILD)/caportal-signer
$(BUILD)/caportal-signer: $(call objects,$(SIGNER_SOURCES) lib/base/system.c) $(BUILD)/libcaportal.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lp11

ctl: $(BUILD)/caportalctl
$(BUILD)/caportalctl: $(call objects,$(CTL_SOURCES) lib/base/system.c) $(BUILD)/libcaportal.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# The unit tests: one program a file, with a clock and randomness of their own (t/unit/seams.c).
UNIT_SOURCES := $(filter-out t/unit/seams.c,$(wildcard t/unit/*.c))
unit: $(patsubst t/unit/%.c,$(BUILD)/t/unit/%,$(UNIT_SOURCES))
$(BUILD)/t/unit/%: $(BUILD)/t/unit/%.o $(BUILD)/t/unit/seams.o $(BUILD)/libcaportal.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

asan:
	$(MAKE) all unit BUILD=build-asan CFLAGS="-O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer"

clean:
	rm -rf build build-asan

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
