#!/usr/bin/env node
import '../dist/src/bin/ibv_rc_pingpong.js';
