// SPDX-License-Identifier: GPL-2.0
/*
 * Test only: the registers of a processor with RAPL, for the kernel's own intel_rapl_common.
 *
 * intel_rapl_common makes the zones, the units and every errno; the registers behind them are memory here. It knows
 * the processor by its model: qemu -cpu Nehalem,model=42. Zones: intel-rapl:0 (package-0, long_term 65 W and
 * short_term 95 W), intel-rapl:0:0 (core), intel-rapl:0:1 (dram).
 *
 * /sys/module/gamesad_rapl/parameters, each a list for package, core, dram:
 *   demand_uw  the power that would be drawn; the package's is held to its long-term limit while that is enabled
 *   energy_uj  what was used; the counters wrap at 2^32 units of 2^-14 J, 262143.99 J
 *   error      the errno that the counters answer to the driver; 0 for none
 * and locked=1 at load: firmware has locked the limits.
 */
#include <linux/cpu.h>
#include <linux/intel_rapl.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/version.h>

enum { PACKAGE, CORE, DRAM, DOMAINS };
enum { UNIT = 1, LIMIT = 0x10, ENERGY = 0x20, INFO = 0x30 };	/* register numbers; the domain is added */

#define EIGHTHS(watts)	((u64)(watts) * 8)
#define WINDOW_28_S	0x6eULL		/* 2^14 * (1 + 3/4) units of 2^-10 s */
#define WINDOW_2_MS	0x01ULL
#define LOCK		(1ULL << 63 | 1ULL << 31)

static uint demand_uw[DOMAINS] = { 20000000, 12000000, 3000000 };
module_param_array(demand_uw, uint, NULL, 0644);
static unsigned long long energy_uj[DOMAINS] = { 1000000000, 600000000, 90000000 };
module_param_array(energy_uj, ullong, NULL, 0644);
static int error[DOMAINS];
module_param_array(error, int, NULL, 0644);
static bool locked;
module_param(locked, bool, 0444);

static DEFINE_SPINLOCK(lock);
static ktime_t counted;
static u64 limits[DOMAINS] = {
	EIGHTHS(65) | 1 << 15 | WINDOW_28_S << 17 | EIGHTHS(95) << 32 | 1ULL << 47 | WINDOW_2_MS << 49,
};

static void count(void)
{
	ktime_t now = ktime_get();
	u64 passed_us = ktime_us_delta(now, counted);
	u64 allowed_uw = (limits[PACKAGE] & 0x7fff) * 125000;
	int i;

	for (i = 0; i < DOMAINS; i++) {
		u64 drawn_uw = demand_uw[i];

		if (i == PACKAGE && limits[PACKAGE] & 1 << 15)
			drawn_uw = min(drawn_uw, allowed_uw);
		energy_uj[i] += drawn_uw * passed_us / 1000000;
	}
	counted = now;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define NUMBER(reg)		((reg).val)
#define REG(number)		{ .val = (number) }
#define TWO_LIMITS		BIT(POWER_LIMIT2)
#define add_package(priv)	rapl_add_package(0, priv, true)
#else
#define NUMBER(reg)		(reg)
#define REG(number)		(number)
#define TWO_LIMITS		2
#define add_package(priv)	rapl_add_package(0, priv)
#endif

static int read_register(int cpu, struct reg_action *ra)
{
	u64 number = NUMBER(ra->reg);
	int domain = number & 0xf, failed = 0;

	spin_lock(&lock);
	count();
	switch (number & ~0xf) {
	case LIMIT:
		ra->value = limits[domain] | (locked ? LOCK : 0);
		break;
	case ENERGY:
		failed = -error[domain];
		ra->value = (u32)div_u64(energy_uj[domain] << 14, 1000000);
		break;
	case INFO:
		ra->value = EIGHTHS(65) | EIGHTHS(120) << 32;
		break;
	default:	/* number 0: a domain that is not there */
		failed = number == UNIT ? 0 : -ENODEV;
		ra->value = 0xa0e03;	/* 2^-10 s, 2^-14 J, 2^-3 W */
	}
	spin_unlock(&lock);
	ra->value &= ra->mask;
	return failed;
}

static int write_register(int cpu, struct reg_action *ra)
{
	int domain = NUMBER(ra->reg) & 0xf;

	spin_lock(&lock);
	count();
	limits[domain] = (limits[domain] & ~ra->mask) | (ra->value & ra->mask);
	spin_unlock(&lock);
	return 0;
}

static struct rapl_if_priv priv = {
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	.type = RAPL_IF_MSR,
#endif
	.reg_unit = REG(UNIT),
	.regs[RAPL_DOMAIN_PACKAGE] = {
		[RAPL_DOMAIN_REG_LIMIT] = REG(LIMIT + PACKAGE),
		[RAPL_DOMAIN_REG_STATUS] = REG(ENERGY + PACKAGE),
		[RAPL_DOMAIN_REG_INFO] = REG(INFO + PACKAGE),
	},
	.regs[RAPL_DOMAIN_PP0] = {
		[RAPL_DOMAIN_REG_LIMIT] = REG(LIMIT + CORE),
		[RAPL_DOMAIN_REG_STATUS] = REG(ENERGY + CORE),
	},
	.regs[RAPL_DOMAIN_DRAM] = {
		[RAPL_DOMAIN_REG_LIMIT] = REG(LIMIT + DRAM),
		[RAPL_DOMAIN_REG_STATUS] = REG(ENERGY + DRAM),
	},
	.limits[RAPL_DOMAIN_PACKAGE] = TWO_LIMITS,
	.read_raw = read_register,
	.write_raw = write_register,
};
static struct rapl_package *package;

static int __init start(void)
{
	counted = ktime_get();
	priv.control_type = powercap_register_control_type(NULL, "intel-rapl", NULL);
	if (IS_ERR(priv.control_type))
		return PTR_ERR(priv.control_type);
	package = add_package(&priv);
	if (!IS_ERR(package)) {
		cpumask_set_cpu(0, &package->cpumask);
		return 0;
	}
	powercap_unregister_control_type(priv.control_type);
	return PTR_ERR(package);
}

static void __exit stop(void)
{
	rapl_remove_package(package);
	powercap_unregister_control_type(priv.control_type);
}

module_init(start);
module_exit(stop);
MODULE_DESCRIPTION("Test only: registers for intel_rapl_common");
MODULE_LICENSE("GPL");
