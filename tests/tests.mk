# The test programs: included by the Makefile, whose variables it uses.

TESTS    := engine ui storage app
test_obj  = $(call obj,tests/$(1)/*.c)
TEST_LIB  = $(call pc,libs,cmocka vterm) -lutil -lm
# What runs the real program, through pipes and terminals.
DRIVER_OBJ := $(patsubst %,$(BUILD)/tests/app/%.c.o,term sandbox run) $(ENGINE_OBJ)
ON_STUB  := $(BUILD)/tests/cuda.failures $(BUILD)/tests/cuda.app_failures $(BUILD)/duet-on-stub \
            $(BUILD)/tests/nvml/libnvidia-ml.so.1

.PHONY: tests check $(TESTS:%=check-%) check-cuda check-cuda-sanitizer check-cuda-failures monkey fuzz \
        bench-store bench-switch bench-ui

tests: $(TESTS:%=$(BUILD)/tests/%.run) $(BUILD)/duet-of-hub $(if $(with_cuda),$(ON_STUB))

check: $(TESTS:%=check-%) $(if $(with_cuda),check-cuda-failures)

check-engine check-ui check-storage: check-%: $(BUILD)/tests/%.run
	$(call say,TEST,$*)
	$(Q)$<

# The groups in two halves, side by side.
check-app: $(BUILD)/tests/app.run $(BUILD)/duet $(BUILD)/duet-of-hub
	$(call say,TEST,app)
	$(Q)export DUET=$(abspath $(BUILD)/duet); $< 1/2 >$(BUILD)/app.log 2>&1 & half=$$!; \
	 $< 2/2; rc=$$?; wait $$half || rc=1; cat $(BUILD)/app.log; exit $$rc

$(BUILD)/tests/engine.run: $(call test_obj,engine) $(ENGINE_OBJ)
	$(call link,$(ENGINE_LIB) $(TEST_LIB))
$(BUILD)/tests/ui.run: $(call test_obj,ui) $(UI_OBJ)
	$(call link,$(UI_LIB) $(TEST_LIB))
$(BUILD)/tests/storage.run: $(call test_obj,storage) $(STORAGE_OBJ)
	$(call link,$(STORAGE_LIB) $(TEST_LIB))
$(BUILD)/tests/app.run: $(call test_obj,app) $(filter-out $(BUILD)/app/main.c.o,$(DUET_OBJ))
	$(call link,$(DUET_LIB) $(TEST_LIB))

# duet, with a catalog of what tests/hub/hub.py has.
$(BUILD)/duet-of-hub: $(filter-out $(BUILD)/app/models/catalog_table.c.o,$(DUET_OBJ)) \
                      $(BUILD)/tests/hub/catalog_table.c.o
	$(call link,$(DUET_LIB))

# Keys at random for SECONDS on the real program; with SAN=address,undefined, ten minutes before a
# release. ARGS=SEED repeats one.
SECONDS ?= 600
monkey: $(BUILD)/tests/monkey.run $(BUILD)/duet
	$(Q)DUET=$(abspath $(BUILD)/duet) $< $(SECONDS) $(ARGS)
$(BUILD)/tests/monkey.run: $(call test_obj,monkey) $(DRIVER_OBJ)
	$(call link,$(ENGINE_LIB) $(TEST_LIB))

fuzz:
	@sh tests/fuzz/run $(ARGS)

bench-store: $(BUILD)/tests/storage.measure
	$(Q)$< $(ARGS)
$(BUILD)/tests/storage.measure: $(call test_obj,storage/measure) $(STORAGE_OBJ)
	$(call link,$(STORAGE_LIB))

bench-switch: $(BUILD)/tests/app.switch $(BUILD)/duet
	$(Q)DUET=$(abspath $(BUILD)/duet) $< $(ARGS)
$(BUILD)/tests/app.switch: $(call test_obj,switch) $(DRIVER_OBJ)
	$(call link,$(ENGINE_LIB) $(TEST_LIB))

bench-ui: $(BUILD)/tests/ui.run
	$(Q)$< bench

# On a machine with a GPU, which may have nothing but gcc, nvcc and make.
MODEL_OBJ := $(patsubst %,$(BUILD)/engine/%.c.o,backend forward model quant sampler $(addprefix file/, \
               cursor entry filekind gguf gguf_get safemap)) $(call obj,engine/host/*.c engine/cpu/*.c) \
             $(CUDA_OBJ) $(BUILD)/tests/engine/random_model.c.o
cuda_obj   = $(patsubst %,$(BUILD)/tests/cuda/%.o,$(1))
GPU_LIB    = -lm -lpthread $(CUDA_LIB)
check-cuda: $(BUILD)/tests/cuda.run $(BUILD)/tests/cuda.measure $(BUILD)/tests/cuda.write_model
	$(call say,TEST,cuda)
	$(Q)$<

# Its race checker finds hazards inside cuBLAS's kernels too, which these tests do not reach.
SANITIZER_TOOLS = memcheck initcheck synccheck 'racecheck --racecheck-indirect-barrier-dependency'
check-cuda-sanitizer: $(BUILD)/tests/cuda.run
	$(Q)for test in mixed outputs; do for tool in $(SANITIZER_TOOLS); do \
	    compute-sanitizer --error-exitcode 1 --tool $$tool $< $$test || exit 1; done; done

$(BUILD)/tests/cuda.run: $(call cuda_obj,main.c limits.c trap.cu drive.c) $(MODEL_OBJ)
	$(call link,$(GPU_LIB))
$(BUILD)/tests/cuda.measure: $(call cuda_obj,measure.c drive.c) $(MODEL_OBJ)
	$(call link,$(GPU_LIB))
$(BUILD)/tests/cuda.write_model: $(call cuda_obj,write_model.c drive.c) $(MODEL_OBJ)
	$(call link,$(GPU_LIB))

# Where there is no GPU: a stub in place of the CUDA runtime.
STUB_LIB   = -lm -lpthread -lstdc++ -ldl
STUB_OBJ  := $(call cuda_obj,stub.c stub_env.c)
check-cuda-failures: $(ON_STUB)
	$(call say,TEST,cuda-failures)
	$(Q)$<
	$(Q)DUET=$(abspath $(BUILD)/duet-on-stub) NVML=$(abspath $(BUILD)/tests/nvml) \
	 $(BUILD)/tests/cuda.app_failures

$(BUILD)/duet-on-stub: $(DUET_OBJ) $(STUB_OBJ)
	$(call link,$(call pc,libs,$(ENGINE_PC)) $(STUB_LIB) $(UI_LIB) $(STORAGE_LIB) $(APP_LIB))
$(BUILD)/tests/cuda.app_failures: $(call cuda_obj,app_failures.c app_bench.c) $(DRIVER_OBJ) $(STUB_OBJ)
	$(call link,$(call pc,libs,$(ENGINE_PC)) $(STUB_LIB) $(TEST_LIB))
$(BUILD)/tests/cuda.failures: $(call cuda_obj,failures.c stub.c drive.c) $(MODEL_OBJ)
	$(call link,$(STUB_LIB))
$(BUILD)/tests/nvml/libnvidia-ml.so.1: tests/cuda/nvml.c $(BUILD)/flags
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 $(WARN) -shared -fPIC -o $@ $<
