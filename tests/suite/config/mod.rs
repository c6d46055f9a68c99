//! What is read from files.

mod the_schema_of_a_projects_file_is_fresh;
