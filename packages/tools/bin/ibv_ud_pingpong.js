#!/usr/bin/env node
import '../dist/src/bin/ibv_ud_pingpong.js';
