#!/usr/bin/env node
import '../dist/src/bin/openverbs-xentop.js';
