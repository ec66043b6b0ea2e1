-- Google's management API and Pub/Sub fail each for itself: that one of them answers says nothing of the other.
ALTER TABLE android_enterprises RENAME COLUMN trouble TO query_trouble;
ALTER TABLE android_enterprises ADD COLUMN delivery_trouble TEXT;
