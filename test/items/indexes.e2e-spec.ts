import { describeItemIndexes } from '../support/item-indexes.js';

describeItemIndexes(50_000);
