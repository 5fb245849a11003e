"""The chips behind i2c-stub: registers in memory, which the kernel's own drivers lm75 and adt7475 read."""

from __future__ import annotations

LM75_WORDS = {0: 0x002D, 3: 0x0050, 2: 0x004B}
"""45 °C, maximum 80 °C, hysteresis 75 °C, each with its bytes swapped."""

ADT7475_BYTES = {
    0x3D: 0x75, 0x3E: 0x41, 0x3F: 0x69,  # device, vendor, version: what the driver's detection asks for
    0x7C: 0x01,  # temperatures in two's complement, as after power-on
    0x25: 52, 0x26: 38, 0x27: 0xFB, 0x77: 2 << 2,  # °C, and half a degree more of the first
    0x4F: 80, 0x51: 70, 0x53: 75,  # their maxima
    0x6A: 95, 0x6B: 85, 0x6C: 90,  # THERM, which the driver calls crit
    0x28: 3000 & 0xFF, 0x29: 3000 >> 8,  # a turn of the first fan, in 1/90000 s
    0x21: 410 >> 2, 0x22: 767 >> 2, 0x76: (410 & 3) << 2 | (767 & 3) << 4,  # ten bits for each voltage
}  # fmt: skip
"""drivers/hwmon/adt7475.c and the ADT7475's data sheet. What is not named is 0."""

SETTLE = f"""
set -e
adapter=$(grep -l 'SMBus stub' /sys/bus/i2c/devices/i2c-*/name)
adapter=${{adapter%/name}}
bus=${{adapter##*-}}
[ ! -e $adapter/$bus-0048 ] || exit 0
{"".join(f"i2cset -y $bus 0x48 {register} {value} w; " for register, value in LM75_WORDS.items())}
{"".join(f"i2cset -y $bus 0x2e {register} {value} b; " for register, value in ADT7475_BYTES.items())}
echo lm75 0x48 >$adapter/new_device
modprobe adt7475 # finds its chip by itself
"""
