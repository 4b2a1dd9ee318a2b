package Sandbox::Controller::Inbox;

use v5.36;
use Mojo::Base 'Sandbox::Controller';
use warnings FATAL => 'all';

use Sandbox::Sms qw(plain_phone);

# A page is for eyes; what it leaves out is in the JSON.
use constant PAGE_SIZE => 200;

sub list ($self) {
  return $self->render(json => $self->_messages);
}

sub page ($self) {
  my $messages = $self->_messages;
  my $total    = @$messages;
  splice @$messages, PAGE_SIZE if $total > PAGE_SIZE;
  return $self->render('inbox/page', messages => $messages, total => $total,
    phone => $self->_phone // '');
}

sub _messages ($self) { return $self->app->inbox->newest($self->_phone) }

# As written if it is no phone number, so that it finds nothing.
sub _phone ($self) {
  my $given = $self->param('phone') // return;
  return if $given eq '';
  return plain_phone($given) // $given;
}

1;
