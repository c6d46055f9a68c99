mod a_deleted_workspace_comes_back_whole;
mod a_placement_is_whole_or_not_there;
mod a_render_loses_no_edit;
mod a_text_fits_and_says_where_the_rest_is;
mod identity_files_are_read_by_plain_name_alone;

use eyas::{domain::ids::InstanceId, templates::IdentityFile};

fn id() -> InstanceId {
    InstanceId(eyas::stdx::mint())
}

fn file(name: &str, content: impl Into<String>) -> IdentityFile {
    IdentityFile {
        name: name.to_owned(),
        content: content.into(),
    }
}
