"""The Lambda function beside one in Python."""
