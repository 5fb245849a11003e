// SPDX-License-Identifier: GPL-2.0
/*
 * Test only: a board's Super-I/O chip, "nct6798" at platform/nct6775.656. It comes with insmod and goes with rmmod,
 * under whoever has its files open.
 *
 * /sys/module/gamesad_superio/parameters, lists in the order of the channels:
 *   temp_mc, temp_error   SYSTIN, CPUTIN, AUXTIN0: millidegrees, and the errno to answer instead
 *   fan_rpm               two fans
 *   in_mv                 two voltages
 * pwm1 is automatic (pwm1_enable 5) and takes values when pwm1_enable is 1, as nct6775 has it.
 * At load: chip=coretemp labels="Package id 0","Core 0","Core 1" makes it a processor's sensors instead.
 */
#include <linux/hwmon.h>
#include <linux/module.h>
#include <linux/platform_device.h>

static int temp_mc[3] = { 34000, 51000, 216000 };
module_param_array(temp_mc, int, NULL, 0644);
static int temp_error[3];
module_param_array(temp_error, int, NULL, 0644);
static int fan_rpm[2] = { 1200, 0 };
module_param_array(fan_rpm, int, NULL, 0644);
static int in_mv[2] = { 1040, 3312 };
module_param_array(in_mv, int, NULL, 0644);

static char *chip_name = "nct6798";
module_param_named(chip, chip_name, charp, 0444);
static char *labels[3] = { "SYSTIN", "CPUTIN", "AUXTIN0" };
module_param_array(labels, charp, NULL, 0444);

static long max_mc[3] = { 80000, 90000, 80000 };
static long pwm = 128, pwm_mode = 5;

static umode_t visible(const void *data, enum hwmon_sensor_types type, u32 attr, int channel)
{
	return type == hwmon_pwm || (type == hwmon_temp && attr == hwmon_temp_max) ? 0644 : 0444;
}

static int read(struct device *dev, enum hwmon_sensor_types type, u32 attr, int channel, long *val)
{
	switch (type) {
	case hwmon_temp:
		*val = attr == hwmon_temp_max ? max_mc[channel] : temp_mc[channel];
		return attr == hwmon_temp_max ? 0 : -temp_error[channel];
	case hwmon_fan:
		*val = fan_rpm[channel];
		return 0;
	case hwmon_in:
		*val = in_mv[channel];
		return 0;
	default:
		*val = attr == hwmon_pwm_enable ? pwm_mode : pwm;
		return 0;
	}
}

static int read_label(struct device *dev, enum hwmon_sensor_types type, u32 attr, int channel, const char **str)
{
	*str = labels[channel];
	return 0;
}

static int write(struct device *dev, enum hwmon_sensor_types type, u32 attr, int channel, long val)
{
	if (type == hwmon_temp) {
		max_mc[channel] = clamp_val(val, -128000, 127000) / 1000 * 1000;
		return 0;
	}
	if (attr == hwmon_pwm_enable) {
		if (val < 0 || val > 5)
			return -EINVAL;
		pwm_mode = val;
		return 0;
	}
	if (pwm_mode > 1)
		return -EBUSY;
	pwm = clamp_val(val, 0, 255);
	return 0;
}

#define TEMP (HWMON_T_INPUT | HWMON_T_MAX | HWMON_T_LABEL)
static const struct hwmon_channel_info *channels[] = {
	HWMON_CHANNEL_INFO(temp, TEMP, TEMP, TEMP),
	HWMON_CHANNEL_INFO(fan, HWMON_F_INPUT, HWMON_F_INPUT),
	HWMON_CHANNEL_INFO(in, HWMON_I_INPUT, HWMON_I_INPUT),
	HWMON_CHANNEL_INFO(pwm, HWMON_PWM_INPUT | HWMON_PWM_ENABLE),
	NULL
};
static const struct hwmon_ops operations = {
	.is_visible = visible, .read = read, .read_string = read_label, .write = write,
};
static const struct hwmon_chip_info chip = { .ops = &operations, .info = channels };
static struct platform_device *device;
static struct device *hwmon;

static int __init start(void)
{
	device = platform_device_register_simple("nct6775", 656, NULL, 0);
	if (IS_ERR(device))
		return PTR_ERR(device);
	hwmon = hwmon_device_register_with_info(&device->dev, chip_name, NULL, &chip, NULL);
	if (!IS_ERR(hwmon))
		return 0;
	platform_device_unregister(device);
	return PTR_ERR(hwmon);
}

static void __exit stop(void)
{
	hwmon_device_unregister(hwmon);
	platform_device_unregister(device);
}

module_init(start);
module_exit(stop);
MODULE_DESCRIPTION("Test only: a Super-I/O chip");
MODULE_LICENSE("GPL");
