#!/usr/bin/env node
import '../dist/src/bin/ibv_devices.js';
