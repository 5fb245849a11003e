/* The hardware of a laptop, for a QEMU "pc" machine: its firmware answers what the host has put into a page of memory.

   The page is at the address that tests/guest/firmware.py maps (and that the kernel is told to leave alone, memmap=);
   its fields are those of tests/guest/firmware.py, in that order. Performance states go to I/O ports that pc-testdev
   makes readable from outside. QEMU has no line for an interrupt of ours, so what the host wants noticed is looked for
   whenever the kernel reads the temperature, which it does every _TZP. */

DefinitionBlock ("", "SSDT", 2, "GAMESA", "LAPTOP", 1)
{
    External (\_SB.PCI0, DeviceObj)
    External (\_SB.CPUS.C000, DeviceObj)
    External (\_SB.CPUS.C001, DeviceObj)

    Scope (\_SB)
    {
        OperationRegion (PAGE, SystemMemory, 0x10000000, 0x1000)
        Field (PAGE, DWordAcc, NoLock, Preserve)
        {
            TMPK, 32,   // temperature, tenths of a kelvin; 0: the sensor fails
            PSVK, 32,   // passive trip
            HOTK, 32,   // hot trip
            CRTK, 32,   // critical trip
            ACTK, 32,   // active trip: the fan's
            PPCN, 32,   // number of the fastest state allowed, 0 for all
            ACON, 32,   // 1: mains
            BSTS, 32,   // battery: 0 full, 1 discharging, 2 charging
            BRAT, 32,   // mW
            BREM, 32,   // mWh
            BFUL, 32,   // mWh
            FANL, 32,   // written by the guest: the fan's level
            PROF, 32,   // written by both: the platform profile, as DYTC's MMC mode
            FNKY, 32,   // a hotkey event for thinkpad_acpi; 0 once it was fetched
            EVTS, 32,   // what to notify, a bit each; 0 once that was done
        }

        Method (NONE) { Return (Package () { 0 }) }     // no number, so that evaluating it fails

        Method (TELL)   // what the host wants noticed
        {
            Local0 = EVTS
            If (Local0 == 0)
            {
                Return
            }
            EVTS = 0
            If (Local0 & 0x01)
            {
                Notify (\_SB.CPUS.C000, 0x80)
                Notify (\_SB.CPUS.C001, 0x80)
            }
            If (Local0 & 0x02)
            {
                Notify (\_SB.MAIN, 0x80)
                Notify (\_SB.BAT0, 0x80)
            }
            If (Local0 & 0x04)
            {
                Notify (\_SB.PCI0.LPC.EC.HKEY, 0x80)
            }
            If (Local0 & 0x08)
            {
                Notify (\_TZ.TZ00, 0x81)
            }
        }

        // Four states in tenths of a gigahertz; the control value is the frequency, so that the port can be read.
        Name (PSS0, Package ()
        {
            Package () { 3000, 15000, 10, 10, 30, 30 },
            Package () { 2400, 11000, 10, 10, 24, 24 },
            Package () { 1800,  8000, 10, 10, 18, 18 },
            Package () { 1200,  5000, 10, 10, 12, 12 },
        })

        Device (MAIN)
        {
            Name (_HID, "ACPI0003")
            Name (_PCL, Package () { \_SB })
            Method (_STA) { Return (0x0F) }
            Method (_PSR) { Return (ACON) }
        }

        Device (BAT0)
        {
            Name (_HID, EisaId ("PNP0C0A"))
            Name (_UID, 1)
            Name (_PCL, Package () { \_SB })
            Method (_STA) { Return (0x1F) }
            Name (INFO, Package ()
            {
                0, 50000, 50000, 1, 11400, 2500, 1000, 10, 10, "GAMESA", "1", "LION", "GAMESA"
            })
            Method (_BIF)
            {
                INFO [2] = BFUL
                Return (INFO)
            }
            Name (STAT, Package () { 0, 0, 0, 11400 })
            Method (_BST)
            {
                STAT [0] = BSTS
                STAT [1] = BRAT
                STAT [2] = BREM
                Return (STAT)
            }
        }

        Device (FAN0)
        {
            Name (_HID, EisaId ("PNP0C0B"))
            Name (_UID, 0)
            Name (_FIF, Package () { 0, 0, 0, 0 })
            Name (_FPS, Package ()
            {
                0,
                Package () { 0, 0xFFFFFFFF, 0, 0, 0 },
                Package () { 1, 0, 1800, 200, 1000 },
                Package () { 2, 0xFFFFFFFF, 2700, 300, 2000 },
                Package () { 3, 0xFFFFFFFF, 3600, 400, 3000 },
            })
            Name (FSTA, Package () { 0, 0, 0 })
            Method (_FST)
            {
                FSTA [1] = FANL
                FSTA [2] = FANL * 900
                Return (FSTA)
            }
            Method (_FSL, 1) { FANL = Arg0 }
        }
    }

    Scope (\_SB.CPUS.C000)
    {
        Name (_PCT, Package ()
        {
            ResourceTemplate () { Register (SystemIO, 8, 0, 0xE0) },
            ResourceTemplate () { Register (SystemIO, 8, 0, 0xE0) }
        })
        Method (_PSS) { Return (\_SB.PSS0) }
        Method (_PPC) { Return (\_SB.PPCN) }
        Name (_PSD, Package () { Package () { 5, 0, 0, 0xFC, 1 } })
    }

    Scope (\_SB.CPUS.C001)
    {
        Name (_PCT, Package ()
        {
            ResourceTemplate () { Register (SystemIO, 8, 0, 0xE1) },
            ResourceTemplate () { Register (SystemIO, 8, 0, 0xE1) }
        })
        Method (_PSS) { Return (\_SB.PSS0) }
        Method (_PPC) { Return (\_SB.PPCN) }
        Name (_PSD, Package () { Package () { 5, 0, 1, 0xFC, 1 } })
    }

    Scope (\_TZ)
    {
        ThermalZone (TZ00)
        {
            Name (_TZP, 5)      // read every half second
            Name (_TSP, 10)     // and every second while cooling passively
            Name (_TC1, 1)
            Name (_TC2, 2)
            Name (_PSL, Package () { \_SB.CPUS.C000, \_SB.CPUS.C001 })
            Name (_AL0, Package () { \_SB.FAN0 })
            Method (_TMP)
            {
                \_SB.TELL ()
                If (\_SB.TMPK == 0)
                {
                    Return (\_SB.NONE ())
                }
                Return (\_SB.TMPK)
            }
            Method (_PSV) { Return (\_SB.PSVK) }
            Method (_HOT) { Return (\_SB.HOTK) }
            Method (_CRT) { Return (\_SB.CRTK) }
            Method (_AC0) { Return (\_SB.ACTK) }
        }
    }

    Scope (\_SB.PCI0)
    {
        Device (LPC)
        {
            Name (_ADR, 0x00FF0000)
            Device (EC)     // thinkpad_acpi insists on an embedded controller; without registers nobody else wants it
            {
                Name (_HID, EisaId ("PNP0C09"))
                Device (HKEY)
                {
                    Name (_HID, "LEN0068")
                    Method (_STA) { Return (0x0F) }
                    Method (MHKV) { Return (0x0100) }
                    Method (MHKA) { Return (0xFFFFFFFF) }
                    Method (DHKN) { Return (0xFFFFFFFF) }
                    Method (MHKC, 1) { }
                    Method (MHKM, 2) { }
                    Method (MHKP)   // the next event
                    {
                        Local0 = \_SB.FNKY
                        \_SB.FNKY = 0
                        Return (Local0)
                    }

                    // Lenovo's thermal interface, revision 6, with "MMC": 3 low-power, 15 balanced, 2 performance
                    Method (DYTC, 1)
                    {
                        Switch (ToInteger (Arg0 & 0xFF))
                        {
                            Case (0x00) { Return (0x60000101) }     // revision, and that it is enabled
                            Case (0x01)                             // set: the mode is in bits 16 to 19
                            {
                                \_SB.PROF = (Arg0 >> 16) & 0x0F
                                Return (1)
                            }
                            Case (0xFF)                             // reset
                            {
                                \_SB.PROF = 0x0F
                                Return (1)
                            }
                            Case (0x03) { Return (0x08000001) }     // which functions there are: MMC
                            // get and get MMC: function 11 and its mode
                            Case (Package () { 0x02, 0x08 }) { Return ((\_SB.PROF << 12) | 0x0B01) }
                        }
                        Return (0)
                    }
                }
            }
        }
    }
}
