import { describeItemIndexes } from '../support/item-indexes.js';

describeItemIndexes(1_000_000);
