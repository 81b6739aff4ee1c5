# duet: `make run` sets up, builds and starts it; `make help` lists the rest.
#
# Every object knows its folder and nothing beside it: engine/, ui/ and storage/ are compiled with
# only their own folder in the include path, so a sideways include does not compile.

VERSION := 0.1.0
PREFIX  ?= /usr/local
CC      ?= cc
NVCC    ?= $(shell command -v nvcc 2>/dev/null || ls /usr/local/cuda/bin/nvcc 2>/dev/null)
CFLAGS  ?= -O2 -g

# Sanitizer builds are CPU builds, each in a tree of its own. cuBLAS is not linked: engine/cuda/blas.h.
CU_SRC  := $(wildcard engine/cuda/*.cu)
CUDA    ?= $(if $(SAN),0,$(if $(NVCC),1,0))
CUARCH  ?= 75 80 86 89 90
# The command may be a wrapper or a link: nvcc itself tells where its toolkit lies.
CUDA_HOME := $(if $(and $(filter 1,$(CUDA)),$(NVCC)),$(shell $(NVCC) --dryrun -E -x cu /dev/null 2>&1 | \
               sed -n 's/^\#\$$ TOP=//p'))
with_cuda := $(and $(CUDA_HOME),$(wildcard $(CUDA_HOME)/include/cuda_runtime_api.h),$(CU_SRC))
comma   := ,
BUILD   := build/$(if $(with_cuda),cuda,cpu)$(if $(SAN),-$(subst $(comma),-,$(SAN)))

WARN    := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wpointer-arith -Wwrite-strings -Wvla
SANF    := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
DEFS    := -D_GNU_SOURCE $(if $(with_cuda),-DHAVE_CUDA)
COMPILE  = $(CC) -std=c11 $(WARN) $(CFLAGS) $(SANF) $(DEFS) $(INC) -MMD -MP -c -o $@ $<
LINK    := $(CC) $(CFLAGS) $(SANF) $(LDFLAGS)

pc = $(shell pkg-config --$(1) $(2) 2>/dev/null)
ENGINE_PC  := libutf8proc jansson
UI_PC      := ncursesw libutf8proc md4c
STORAGE_PC := sqlite3
APP_PC     := jansson readline libutf8proc inih md4c gmp libcurl libcrypto
ENGINE_LIB  = $(call pc,libs,$(ENGINE_PC)) -lm -lpthread $(if $(with_cuda),$(CUDA_LIB))
UI_LIB      = $(call pc,libs,$(UI_PC))
STORAGE_LIB = $(call pc,libs,$(STORAGE_PC)) -lm -lpthread
APP_LIB     = $(call pc,libs,$(APP_PC))
DUET_LIB    = $(ENGINE_LIB) $(UI_LIB) $(STORAGE_LIB) $(APP_LIB)
CUDA_LIB    = -L$(CUDA_HOME)/lib64 -L$(CUDA_HOME)/lib -lcudart_static -lstdc++ -ldl -lrt

obj = $(patsubst %,$(BUILD)/%.o,$(wildcard $(1)))
CUDA_OBJ    := $(if $(with_cuda),$(call obj,engine/cuda/*.c engine/cuda/*.cu))
ENGINE_OBJ  := $(call obj,engine/*.c $(patsubst %,engine/%/*.c,file text grammar host cpu)) $(CUDA_OBJ)
UI_OBJ      := $(call obj,ui/*.c ui/*/*.c)
STORAGE_OBJ := $(call obj,storage/*.c)
APP_OBJ     := $(call obj,app/*.c app/*/*.c)
DUET_OBJ    := $(APP_OBJ) $(ENGINE_OBJ) $(UI_OBJ) $(STORAGE_OBJ)

ifneq ($(V),1)
Q := @
say = @printf '  %-5s %s\n' $(1) $(2)
endif
# $(call link,LIBRARIES): the target from all its prerequisites.
define link
$(call say,LINK,$@)
$(Q)$(LINK) -o $@ $^ $(1)
endef

help_goals := help deps clean format lint uninstall
ifneq ($(filter-out $(help_goals),$(or $(MAKECMDGOALS),all)),)
ifndef MAKE_RESTARTS
cpu_found := $(shell grep -om1 -wE 'avx2|avx_vnni|avx512_vnni|amx_int8|asimd' /proc/cpuinfo 2>/dev/null)
$(info duet $(VERSION): $(CC), CPU $(or $(strip $(cpu_found)),baseline), CUDA $(if $(with_cuda),$(NVCC) for $(CUARCH),off$(if \
    $(NVCC),$(if $(CUDA_HOME), ($(NVCC) without its headers)), (no nvcc)))$(if $(SAN),$(comma) sanitizers $(SAN)))
endif
endif

.PHONY: all run test deps bench keys format lint install uninstall clean help FORCE
.SECONDARY:

all: duet

duet: $(BUILD)/duet
	$(Q)ln -sf $< $@

$(BUILD)/duet: $(DUET_OBJ)
	$(call link,$(DUET_LIB))

# Built on all cores; tested two folders at a time, as tests of the app mostly wait.
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
run: deps
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all
	$(Q)./duet $(ARGS)

test: deps
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all tests
	$(Q)$(MAKE) --no-print-directory -j2 --output-sync=target check

$(BUILD)/app/%.o:     INC := -I. -DDUET_VERSION='"$(VERSION)"'
$(BUILD)/engine/%.o:  INC := -Iengine
$(BUILD)/ui/%.o:      INC := -Iui $(call pc,cflags,$(UI_PC))
$(BUILD)/storage/%.o: INC := -Istorage
$(BUILD)/tests/%.o:   INC := -I. -Iengine -Iui -Istorage
$(BUILD)/engine/cpu/%.o $(BUILD)/engine/host/%.o: CFLAGS += -O3
$(BUILD)/engine/cuda/%.c.o: INC := -Iengine -isystem $(CUDA_HOME)/include
$(BUILD)/tests/cuda/%.c.o:  INC := -I. -Iengine -isystem $(CUDA_HOME)/include

$(BUILD)/%.c.o: %.c $(BUILD)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE)

gencode = $(foreach a,$(CUARCH),-gencode arch=compute_$(a)$(comma)code=sm_$(a)) \
          -gencode arch=compute_$(lastword $(CUARCH)),code=compute_$(lastword $(CUARCH))
$(BUILD)/%.cu.o: %.cu $(BUILD)/flags
	$(call say,NVCC,$<)
	@mkdir -p $(@D)
	$(Q)$(NVCC) -std=c++17 -O3 -lineinfo $(gencode) $(DEFS) $(INC) -MMD -MP -c -o $@ $<

# Rebuilds everything when a flag changed, so that `make clean` is never needed for that.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CFLAGS) $(SANF) $(DEFS) $(VERSION) $(CUARCH)' | cmp -s - $@ || \
	 echo '$(CC) $(CFLAGS) $(SANF) $(DEFS) $(VERSION) $(CUARCH)' > $@

include tests/tests.mk
-include $(wildcard $(patsubst %,$(BUILD)/%.d,*/* */*/* */*/*/*))

deps:
	@sh .ci/deps

# A bench is a command whose output can be compared, never a test.
bench: duet
	$(Q)./duet bench $(ARGS)

# The manual's list of keys, from the program's table.
keys: duet
	@sh .ci/keys write

format:
	@git ls-files '*.c' '*.h' '*.cu' '*.cuh' | xargs clang-format -i

lint:
	@sh .ci/lint

share := $(DESTDIR)$(PREFIX)/share
install: duet
	install -d $(DESTDIR)$(PREFIX)/bin $(share)/duet/models $(share)/duet/problems $(share)/man/man1 $(share)/man/man5 \
	    $(share)/bash-completion/completions $(share)/zsh/site-functions \
	    $(share)/fish/vendor_completions.d
	install -m 755 $(BUILD)/duet $(DESTDIR)$(PREFIX)/bin/duet
	install -m 644 app/demo/*.gguf $(share)/duet/models
	install -m 644 app/problems/*.jsonl $(share)/duet/problems
	install -m 644 man/*.1 $(share)/man/man1
	install -m 644 man/*.5 $(share)/man/man5
	install -m 644 completions/duet.bash $(share)/bash-completion/completions/duet
	install -m 644 completions/_duet $(share)/zsh/site-functions/_duet
	install -m 644 completions/duet.fish $(share)/fish/vendor_completions.d/duet.fish

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/duet $(share)/bash-completion/completions/duet \
	    $(share)/zsh/site-functions/_duet $(share)/fish/vendor_completions.d/duet.fish
	rm -f $(addprefix $(share)/man/man1/,$(notdir $(wildcard man/*.1))) \
	    $(addprefix $(share)/man/man5/,$(notdir $(wildcard man/*.5)))
	rm -rf $(share)/duet

clean:
	rm -rf build duet

help:
	@echo 'make run        set up what is missing, build, start duet (ARGS="..." are passed on)'
	@echo 'make test       set up what is missing, build, run every test'
	@echo 'make all        build ./duet          make check     tests without the set-up'
	@echo 'make deps       install the libraries through the package manager'
	@echo 'make bench-ui   measure the frames of the screen'
	@echo 'make bench      measure the speed     make fuzz      fuzz the parsers'
	@echo 'make bench-store  measure the store in a large history'
	@echo 'make bench-switch  measure the switch between two models in memory (ARGS="MODEL MODEL [TOKENS]")'
	@echo 'make monkey     hit keys at random for SECONDS=600'
	@echo 'make check-cuda tests of the CUDA backend, on a machine with a GPU'
	@echo 'make lint       check style, layers and manual pages'
	@echo 'make format     reformat the sources  make clean     remove what was built'
	@echo 'make keys       write the list of keys in the manual anew'
	@echo 'make install    into PREFIX=/usr/local under DESTDIR; make uninstall'
	@echo
	@echo 'CUDA=0|1        without or with the CUDA backend (default: with, where nvcc is found)'
	@echo 'SAN=address,undefined | SAN=thread    sanitizer build, in a tree of its own'
	@echo 'V=1             show the commands'
