// SPDX-License-Identifier: GPL-2.0
/*
 * Test only: a graphics card that looks like amdgpu's, on a real PCI device with the kernel's own run-time power
 * management, DRM and hwmon: qemu -device edu (device_del takes it away). /sys/class/drm/cardN with its attributes, and
 * the hwmon chip "amdgpu" below the PCI device. Like amdgpu it is woken by whoever reads a sensor, a power cap or a
 * fan's range, but not a label or a temperature's limit; `echo auto > power/control` lets it sleep a second after.
 *
 * /sys/module/gamesad_card/parameters:
 *   temp_mc, temp_error          lists for edge, junction, mem: millidegrees, and the errno to answer instead
 *   demand_uw                    the power that would be drawn; power1_average is that or the cap, the lower
 *   fan_rpm, sclk_hz, busy_percent, memory_percent
 *   wakes                        how often it was woken
 */
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <linux/hwmon.h>
#include <linux/hwmon-sysfs.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#define RATED_UW 200000000L
#define HIGHEST_UW 230000000L

static int temp_mc[3] = { 45000, 52000, 60000 };
module_param_array(temp_mc, int, NULL, 0644);
static int temp_error[3];
module_param_array(temp_error, int, NULL, 0644);
static ulong demand_uw = 30000000;
module_param(demand_uw, ulong, 0644);
static int fan_rpm = 900;
module_param(fan_rpm, int, 0644);
static ulong sclk_hz = 500000000;
module_param(sclk_hz, ulong, 0644);
static int busy_percent = 3;
module_param(busy_percent, int, 0644);
static int memory_percent = 1;
module_param(memory_percent, int, 0644);
static int wakes;
module_param(wakes, int, 0444);

static ulong cap_uw = RATED_UW;
static int level;
static const char *const levels[] = { "auto", "low", "high", "manual" };

/* What every read of amdgpu's does first, and last. */
static int wake(struct device *pci)
{
	int woken = pm_runtime_resume_and_get(pci);

	return woken < 0 ? woken : 0;
}

static void rest(struct device *pci)
{
	pm_runtime_mark_last_busy(pci);
	pm_runtime_put_autosuspend(pci);
}

static umode_t visible(const void *data, enum hwmon_sensor_types type, u32 attr, int channel)
{
	return type == hwmon_power && attr == hwmon_power_cap ? 0644 : 0444;
}

static int value(enum hwmon_sensor_types type, u32 attr, int channel, long *val)
{
	static const long critical_mc[] = { 100000, 110000, 105000 };

	switch (type) {
	case hwmon_temp:
		*val = attr == hwmon_temp_input ? temp_mc[channel] :
		       attr == hwmon_temp_crit ? critical_mc[channel] :
		       attr == hwmon_temp_crit_hyst ? -273150 : critical_mc[channel] + 5000;
		return attr == hwmon_temp_input ? -temp_error[channel] : 0;
	case hwmon_fan:
		*val = attr == hwmon_fan_input ? fan_rpm : attr == hwmon_fan_max ? 3300 : 0;
		return 0;
	default:
		*val = attr == hwmon_power_average ? min(demand_uw, cap_uw) :
		       attr == hwmon_power_cap ? cap_uw : attr == hwmon_power_cap_max ? HIGHEST_UW : 0;
		return 0;
	}
}

static int read(struct device *dev, enum hwmon_sensor_types type, u32 attr, int channel, long *val)
{
	int failed;

	if (type == hwmon_temp && attr != hwmon_temp_input)
		return value(type, attr, channel, val);
	failed = wake(dev->parent);
	if (failed)
		return failed;
	failed = value(type, attr, channel, val);
	rest(dev->parent);
	return failed;
}

static int read_label(struct device *dev, enum hwmon_sensor_types type, u32 attr, int channel, const char **str)
{
	static const char *const labels[] = { "edge", "junction", "mem" };

	*str = type == hwmon_temp ? labels[channel] : "PPT";
	return 0;
}

static int write(struct device *dev, enum hwmon_sensor_types type, u32 attr, int channel, long val)
{
	if (val < 0 || val > HIGHEST_UW)
		return -EINVAL;
	cap_uw = val / 1000000 * 1000000;
	return 0;
}

#define TEMP (HWMON_T_INPUT | HWMON_T_CRIT | HWMON_T_CRIT_HYST | HWMON_T_EMERGENCY | HWMON_T_LABEL)
static const struct hwmon_channel_info *channels[] = {
	HWMON_CHANNEL_INFO(temp, TEMP, TEMP, TEMP),
	HWMON_CHANNEL_INFO(fan, HWMON_F_INPUT | HWMON_F_MIN | HWMON_F_MAX),
	HWMON_CHANNEL_INFO(power, HWMON_P_AVERAGE | HWMON_P_LABEL | HWMON_P_CAP | HWMON_P_CAP_MIN | HWMON_P_CAP_MAX),
	NULL
};
static const struct hwmon_ops operations = {
	.is_visible = visible, .read = read, .read_string = read_label, .write = write,
};
static const struct hwmon_chip_info chip = { .ops = &operations, .info = channels };

/* hwmon has no frequencies of its own: amdgpu adds them, and so does this. */
static ssize_t freq1_input_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	int failed = wake(dev->parent);

	if (failed)
		return failed;
	rest(dev->parent);
	return sysfs_emit(buf, "%lu\n", sclk_hz);
}
static DEVICE_ATTR_RO(freq1_input);

static ssize_t freq1_label_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "sclk\n");
}
static DEVICE_ATTR_RO(freq1_label);

static struct attribute *chip_attrs[] = { &dev_attr_freq1_input.attr, &dev_attr_freq1_label.attr, NULL };
ATTRIBUTE_GROUPS(chip);

static ssize_t gpu_busy_percent_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", busy_percent);
}
static DEVICE_ATTR_RO(gpu_busy_percent);

static ssize_t mem_busy_percent_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", memory_percent);
}
static DEVICE_ATTR_RO(mem_busy_percent);

static ssize_t power_dpm_force_performance_level_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", levels[level]);
}

static ssize_t power_dpm_force_performance_level_store(struct device *dev, struct device_attribute *attr,
						       const char *buf, size_t count)
{
	int found = __sysfs_match_string(levels, ARRAY_SIZE(levels), buf);

	if (found < 0)
		return found;
	level = found;
	return count;
}
static DEVICE_ATTR_RW(power_dpm_force_performance_level);

static ssize_t pp_dpm_sclk_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	bool fast = sclk_hz > 1000000000;

	return sysfs_emit(buf, "0: 500Mhz %s\n1: 2400Mhz %s\n", fast ? "" : "*", fast ? "*" : "");
}
static DEVICE_ATTR_RO(pp_dpm_sclk);

static struct attribute *card_attrs[] = {
	&dev_attr_gpu_busy_percent.attr, &dev_attr_mem_busy_percent.attr,
	&dev_attr_power_dpm_force_performance_level.attr, &dev_attr_pp_dpm_sclk.attr, NULL
};
ATTRIBUTE_GROUPS(card);

DEFINE_DRM_GEM_FOPS(file_operations);
static const struct drm_driver drm = { .name = "amdgpu", .desc = "test only", .fops = &file_operations };

static int probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	struct device *hwmon;
	struct drm_device *card;
	int failed = pcim_enable_device(pci);

	if (failed)
		return failed;
	hwmon = devm_hwmon_device_register_with_info(&pci->dev, "amdgpu", NULL, &chip, chip_groups);
	if (IS_ERR(hwmon))
		return PTR_ERR(hwmon);
	card = drm_dev_alloc(&drm, &pci->dev);
	if (IS_ERR(card))
		return PTR_ERR(card);
	failed = drm_dev_register(card, 0);
	if (failed) {
		drm_dev_put(card);
		return failed;
	}
	pci_set_drvdata(pci, card);
	pm_runtime_set_autosuspend_delay(&pci->dev, 1000);
	pm_runtime_use_autosuspend(&pci->dev);
	rest(&pci->dev);	/* the PCI core holds it awake until its driver says so, and until power/control is auto */
	return 0;
}

static void remove(struct pci_dev *pci)
{
	struct drm_device *card = pci_get_drvdata(pci);

	pm_runtime_get_sync(&pci->dev);
	drm_dev_unplug(card);
	drm_dev_put(card);
}

static int sleep(struct device *pci)
{
	return 0;
}

static int woken(struct device *pci)
{
	wakes++;
	return 0;
}

static const struct dev_pm_ops power = { RUNTIME_PM_OPS(sleep, woken, NULL) };
static const struct pci_device_id devices[] = { { PCI_DEVICE(0x1234, 0x11e8) }, { } };
MODULE_DEVICE_TABLE(pci, devices);
static struct pci_driver card_driver = {
	.name = "amdgpu", .id_table = devices, .probe = probe, .remove = remove, .dev_groups = card_groups,
	.driver.pm = &power,
};
module_pci_driver(card_driver);
MODULE_DESCRIPTION("Test only: a graphics card");
MODULE_LICENSE("GPL");
